"""Why a policy in CEL said what it said: expressions watched while they run, and match constraints in their parts."""
