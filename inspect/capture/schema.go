package capture

import _ "embed"

//go:embed capture.schema.json
var schema string

// Schema is the JSON Schema (draft 2020-12) of a capture's lines.
func Schema() string { return schema }
