package config

import "encoding/json"

// SchemaFile is the schema's name, beside a file.
const SchemaFile = "config.schema.json"

// JSONSchema is the JSON schema of a file, for editors.
func JSONSchema() []byte {
	properties := map[string]any{}
	for _, k := range keys {
		p := map[string]any{"description": k.help}
		switch k.field(&Link{}).(type) {
		case *bool:
			p["type"] = "boolean"
		case *[]int:
			p["type"], p["minItems"], p["maxItems"] = "array", 1, MaxUids
			p["items"] = map[string]any{"type": "integer", "minimum": 0}
		case *To:
			p["oneOf"] = []any{map[string]any{"type": "string", "minLength": 1}, execSchema}
		default:
			p["type"], p["minLength"] = "string", 1
		}
		if k.words != nil {
			p["enum"] = k.words
		}
		if k.name == "name" {
			p["pattern"] = "^[a-z][a-z0-9_-]{0,31}$"
		}
		properties[k.name] = p
	}
	schema := map[string]any{
		"$schema":              "http://json-schema.org/draft-07/schema#",
		"title":                "Configuration of docker-wsl-bridge",
		"type":                 "object",
		"additionalProperties": false,
		"properties": map[string]any{
			"link": map[string]any{
				"description": "What is bridged.",
				"type":        "array", "maxItems": MaxLinks,
				"items": map[string]any{
					"type": "object", "additionalProperties": false,
					"required": []string{"name"}, "properties": properties,
				},
			},
			"locked": map[string]any{
				"description": "In the machine-wide file: what users may not set. link is links of their own, link.NAME all of one, link.NAME.KEY one key.",
				"type":        "array",
				"items":       map[string]any{"type": "string", "pattern": `^link(\.[a-z][a-z0-9_-]*(\.[a-z-]+)?)?$`},
			},
		},
	}
	b, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // the table above can be written
	}
	return append(b, '\n')
}

var execSchema = map[string]any{
	"type": "object", "additionalProperties": false, "required": []string{"exec"},
	"properties": map[string]any{
		"exec": map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"type": "string"}},
	},
}
