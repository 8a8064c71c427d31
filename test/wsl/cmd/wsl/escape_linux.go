package main

import "strings"

// escapeArg quotes an argument the way Go does on Windows: quotes only around
// what is empty or holds a blank, a backslash doubled where it meets a quote.
// The Windows build has no use for it: there the parent has done it.
func escapeArg(arg string) string {
	if arg == "" {
		return `""`
	}
	quote := strings.ContainsAny(arg, blanks)
	if !quote && !strings.Contains(arg, `"`) {
		return arg
	}
	var b strings.Builder
	if quote {
		b.WriteByte('"')
	}
	slashes := 0
	for i := 0; i < len(arg); i++ {
		if arg[i] == '"' {
			b.WriteString(strings.Repeat(`\`, slashes+1))
		}
		if arg[i] == '\\' {
			slashes++
		} else {
			slashes = 0
		}
		b.WriteByte(arg[i])
	}
	if quote {
		b.WriteString(strings.Repeat(`\`, slashes) + `"`)
	}
	return b.String()
}
