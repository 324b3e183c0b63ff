"""One renderer a file: terminal, JSON, SARIF, JUnit, policy reports, Markdown, HTML."""
