"""The plane for programs: REST under `/api/v1`."""
