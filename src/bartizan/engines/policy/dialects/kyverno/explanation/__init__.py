"""Why a rule said what it said of one resource: the rule run again, with everything it met written down."""
