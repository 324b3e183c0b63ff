// What an expression gives and costs in the API server: the oracle of our own count.
//
// Each line of standard input is a JSON object with `expression` and `given`,
// whose names are declared without types, as those of admission policies are.
// Each gets a line with `cost` and `value` or `error`, or with `refused`.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

type question struct {
	Expression string         `json:"expression"`
	Given      map[string]any `json:"given"`
}

type answer struct {
	Cost    uint64 `json:"cost"`
	Value   string `json:"value,omitempty"`
	Error   string `json:"error,omitempty"`
	Refused string `json:"refused,omitempty"`
}

// whole makes 64-bit integers of numbers that are, as the API server's decoder does.
func whole(value any) any {
	switch held := value.(type) {
	case json.Number:
		if number, err := held.Int64(); err == nil {
			return number
		}
		number, _ := held.Float64()
		return number
	case []any:
		for place, item := range held {
			held[place] = whole(item)
		}
	case map[string]any:
		for key, item := range held {
			held[key] = whole(item)
		}
	}
	return value
}

func ask(asked question) (said answer) {
	defer func() {
		if panicked := recover(); panicked != nil {
			said = answer{Refused: fmt.Sprint("the reference panics: ", panicked)}
		}
	}()
	var names []cel.EnvOption
	for name, value := range asked.Given {
		names = append(names, cel.Variable(name, cel.DynType))
		asked.Given[name] = whole(value)
	}
	set, err := environment.MustBaseEnvSet(version.MajorMinor(1, 35)).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions:        names,
	})
	if err != nil {
		return answer{Refused: err.Error()}
	}
	env, err := set.Env(environment.StoredExpressions)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	tree, issues := env.Compile(asked.Expression)
	if issues.Err() != nil {
		return answer{Refused: issues.Err().Error()}
	}
	program, err := env.Program(tree, cel.InterruptCheckFrequency(100))
	if err != nil {
		return answer{Refused: err.Error()}
	}
	value, details, err := program.Eval(asked.Given)
	if details != nil && details.ActualCost() != nil {
		said.Cost = *details.ActualCost()
	}
	if err != nil {
		said.Error = err.Error()
	} else {
		said.Value = fmt.Sprint(value.Value())
	}
	return said
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.UseNumber()
		var asked question
		if err := decoder.Decode(&asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := out.Encode(ask(asked)); err != nil {
			os.Exit(1)
		}
	}
}
