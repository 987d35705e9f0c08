"""OpenAI's HTTP interface: routes, response formats and its description."""
