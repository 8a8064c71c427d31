package main

import "strings"

const blanks = " \t"

// skipProgram drops argv[0]: everything up to the first blank outside quotes.
func skipProgram(raw string) string {
	quoted := false
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] == '"':
			quoted = !quoted
		case !quoted && isBlank(raw[i]):
			return strings.TrimLeft(raw[i:], blanks)
		}
	}
	return ""
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// word is the text up to the next blank, quotes and all.
func word(rest string) string {
	if i := strings.IndexAny(rest, blanks); i >= 0 {
		return rest[:i]
	}
	return rest
}

// consume drops a word and the blanks after it.
func consume(rest, word string) string {
	return strings.TrimLeft(rest[len(word):], blanks)
}

// isWindowsPath says whether p is an absolute Windows path: a drive or a share.
func isWindowsPath(p string) bool {
	drive := len(p) >= 3 && p[1] == ':' && (p[2] == '\\' || p[2] == '/')
	return drive || strings.HasPrefix(p, `\\`)
}

// isGUID recognises {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}.
func isGUID(w string) bool {
	if len(w) != 38 || w[0] != '{' || w[37] != '}' {
		return false
	}
	for i, c := range w[1:37] {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

// commandLineToArgv splits as CommandLineToArgvW does. The first token is taken
// for a program's name: in it quotes only toggle and backslashes mean nothing.
func commandLineToArgv(line string) []string {
	if line == "" {
		return nil
	}
	first, line := programName(line)
	args := []string{first}
	for line = strings.TrimLeft(line, blanks); line != ""; line = strings.TrimLeft(line, blanks) {
		var arg string
		arg, line = argument(line)
		args = append(args, arg)
	}
	return args
}

func programName(line string) (name, rest string) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case !quoted && isBlank(line[i]):
			return b.String(), line[i:]
		default:
			b.WriteByte(line[i])
		}
	}
	return b.String(), ""
}

// argument reads one argument. A backslash counts only before a quote: 2n of
// them are n and the quote is a quote mark, 2n+1 are n and the quote is a
// character. Of quote marks in a row each third one is a character, counted from
// the mark that opened the quoted part.
func argument(line string) (arg, rest string) {
	var b strings.Builder
	marks, i := 0, 0
	for i < len(line) && (marks > 0 || !isBlank(line[i])) {
		slashes := 0
		for i < len(line) && line[i] == '\\' {
			slashes++
			i++
		}
		if i == len(line) || line[i] != '"' {
			b.WriteString(strings.Repeat(`\`, slashes))
			if slashes == 0 {
				b.WriteByte(line[i])
				i++
			}
			continue
		}
		b.WriteString(strings.Repeat(`\`, slashes/2))
		if slashes%2 == 1 {
			b.WriteByte('"')
			i++
			continue
		}
		for ; i < len(line) && line[i] == '"'; i++ {
			if marks++; marks == 3 {
				b.WriteByte('"')
				marks = 0
			}
		}
		if marks == 2 {
			marks = 0
		}
	}
	return b.String(), line[i:]
}
