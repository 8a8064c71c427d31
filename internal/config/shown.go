package config

import (
	"fmt"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// CountWords is a number of things in words.
func CountWords(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// WrongJSON is an error for a script.
type WrongJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Error  string `json:"error"`
}

// CheckedJSON is what check tells a script.
type CheckedJSON struct {
	Valid   bool        `json:"valid"`
	Files   []string    `json:"files"`
	Links   int         `json:"links"`
	Errors  []WrongJSON `json:"errors"`
	Ignored string      `json:"ignored,omitempty"` // why the machine's file does not count
}

// RightWords say what the files have, of which nothing is wrong.
func RightWords(c *Config) string {
	if c.Default {
		return "no file names a link: there is the one that up serves without flags"
	}
	return CountWords(len(c.Links), "link") + ", nothing is wrong"
}

// IgnoredWords say why the machine's file does not count, if it is there and does not.
func IgnoredWords(c *Config) string {
	if c.Ignored == nil {
		return ""
	}
	return printable.Line(c.Ignored.Error())
}

// valueJSON is one value for a script.
type valueJSON struct {
	Value  any    `json:"value"`
	Source string `json:"source"` // "default", or "file"
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func ShownText(c *Config) string {
	if why := IgnoredWords(c); why != "" {
		return "# not counted: " + why + "\n\n" + c.RenderTOML()
	}
	return c.RenderTOML()
}

func ShownJSON(c *Config) any {
	links := []map[string]valueJSON{}
	for i := range c.Links {
		values := map[string]valueJSON{}
		for _, v := range c.Links[i].KeyValues() {
			out := valueJSON{v.Value, "default", v.Source.File, v.Source.Line, v.Source.Column}
			if v.Source.Line > 0 {
				out.Source = "file"
			}
			if words, is := v.Value.([]string); is {
				out.Value = map[string][]string{"exec": words}
			}
			values[v.Key] = out
		}
		links = append(links, values)
	}
	return map[string]any{"links": links, "files": append([]string{}, c.Files...), "ignored": IgnoredWords(c)}
}
