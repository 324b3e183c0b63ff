"""`bartizan policy check`: policies looked at before they run, and what is said of them."""

from bartizan.app.policy_check.look import LEVELS, Checked, check_policies
from bartizan.app.policy_check.report import as_report, render_json, render_text, rule_list

__all__ = ["LEVELS", "Checked", "as_report", "check_policies", "render_json", "render_text", "rule_list"]
