package config

import (
	"fmt"
	"strings"
	"unicode"
)

// Value is one key of a link as it counts, and where it comes from.
type Value struct {
	Key    string
	Value  any      // string, bool, []int, or []string for a command
	Source Position // the zero value for a default
}

// KeyValues are those of all keys that say something, in their order.
func (l *Link) KeyValues() (list []Value) {
	for _, k := range keys {
		v := Value{Key: k.name, Source: l.set[k.name]}
		switch f := k.field(l).(type) {
		case *string:
			v.Value = *f
		case *bool:
			v.Value = *f
		case *[]int:
			if v.Value = *f; len(*f) == 0 {
				continue
			}
		case *To:
			v.Value = f.Place
			if f.Exec != nil {
				v.Value = f.Exec
			}
		}
		if v.Value != "" {
			list = append(list, v)
		}
	}
	return list
}

// RenderTOML is the configuration as a file that says all of it, with where each value comes from. It
// is fit for a terminal.
func (c *Config) RenderTOML() string {
	var b strings.Builder
	for i := range c.Links {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("[[link]]\n")
		for _, v := range c.Links[i].KeyValues() {
			from := "default"
			if v.Source != (Position{}) {
				from = Position{File: v.Source.File, Line: v.Source.Line}.String()
			}
			fmt.Fprintf(&b, "%-40s # %s\n", v.Key+" = "+tomlLiteral(v.Value), from)
		}
	}
	return b.String()
}

func tomlLiteral(v any) string {
	switch v := v.(type) {
	case string:
		return tomlString(v)
	case []string:
		words := make([]string, len(v))
		for i, w := range v {
			words[i] = tomlString(w)
		}
		return "{ exec = [" + strings.Join(words, ", ") + "] }"
	case []int:
		return strings.ReplaceAll(fmt.Sprint(v), " ", ", ")
	}
	return fmt.Sprint(v)
}

// tomlString is a string of TOML, whose escapes are those of JSON but for the longer ones.
func tomlString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Starter is the text of a new file: it says what can be said and sets nothing. Its first line
// tells editors (taplo, Even Better TOML) where the schema is.
const Starter = `#:schema ./` + SchemaFile + `

# Links of docker-wsl-bridge, one below each [[link]]. Without any there is one, as below.
# docker-wsl-bridge config check looks this file through; docker-wsl-bridge config show prints
# what counts. docs/configuration.md tells more.

#[[link]]
#name = "windows"
#from = "unix:/run/docker-wsl-bridge/windows.sock"   # in the distro
#to = "auto"                     # the engine for Windows containers, wherever it is
#distro = "Ubuntu"               # without this line: WSL's default distro
#keep-alive = "while-running"    # the distro may stop when nobody else uses it

#[[link]]
#name = "ssh-agent"
#from = "unix:/run/docker-wsl-bridge/ssh-agent.sock"
#to = "npipe:////./pipe/openssh-ssh-agent"
#kind = "raw"

#[[link]]
#name = "build-server"
#to = { exec = ["ssh", "build-server", "docker", "system", "dial-stdio"] }
`
