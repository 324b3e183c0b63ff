module bartizan.test/kube-score

go 1.25.0

tool github.com/zegl/kube-score/cmd/kube-score

require github.com/zegl/kube-score v1.20.0
