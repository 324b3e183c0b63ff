"""Images in policies: the variable that names them, who must have signed them, and what is pinned of them."""
