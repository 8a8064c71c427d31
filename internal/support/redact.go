package support

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameKind is what something is; it stands in for it, with a number.
type nameKind string

// The kinds.
const (
	userName nameKind = "USER"
	hostName nameKind = "HOST"
	wordName nameKind = "WORD" // of a command line
	secret            = "SECRET"
)

// minName is how long a name must be to be looked for anywhere; a shorter one is found in paths.
const minName = 3

// maxName is how long one may be to be looked for anywhere.
const maxName = 256

// common are names that tell of nobody, in lower case.
var common = map[string]bool{
	"root": true, "docker": true, "system": true, "administrator": true, "administrators": true, "public": true, "default": true,
	"localhost": true, "windows": true, "users": true, "user": true, "home": true, "nobody": true, "wsl": true, "debian": true, "ubuntu": true,
	"dial-stdio": true, "session": true, "run": true, "wslc": true, "ssh": true, "ssh.exe": true, "docker.exe": true, "wsl.exe": true,
	"workgroup": true, "true": true, "false": true, "secret": true, "null": true, "wsl$": true, "wsl.localhost": true, "pipe": true,
	"the": true, "its": true, "this": true, "another": true, "engine": true, "nt authority": true, "builtin": true, "default user": true, "all users": true,
}

// secrets are where they stand. The group is what is taken out.
var (
	secrets = []*regexp.Regexp{
		regexp.MustCompile(`(?i)(?:authorization|x-registry-auth|x-registry-config)"?\s*[:=]\s*"?(?:(?:bearer|basic)\s+)?([^\s",;]+)`),
		regexp.MustCompile(`(?i)(?:token|passwd|password|passphrase|secret|api[_-]?key|access[_-]?key|credentials?)[a-z_-]*"?\s*[:=]\s*"?([^\s",;]+)`),
		regexp.MustCompile(`(?i)(?:bearer|basic)\s+([A-Za-z0-9+/=._~-]{8,})`),
		regexp.MustCompile(`(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)`),                                    // a JWT
		regexp.MustCompile(`((?:gh[pousr]|github_pat|glpat|xox[abp]|dckr_pat)[_-][A-Za-z0-9_-]{10,}|A(?:KIA|SIA)[A-Z0-9]{16})`), // of services
		regexp.MustCompile(`://([^/\s"@]+)@`),
		regexp.MustCompile(`S-1-5-21-([0-9-]+)`),
	}
)

// redactor has what is to be taken out.
type redactor struct {
	names   map[string]string // folded, and what stands in
	literal words             // those that are looked for anywhere
	bare    words             // the same, without quotes and backslashes
	counts  map[nameKind]int
}

// newRedactor makes one that knows of forms alone.
func newRedactor() *redactor {
	return &redactor{names: map[string]string{}, counts: map[nameKind]int{}}
}

// folded is a name as it is looked for.
func folded(name string) string {
	return strings.Map(fold, strings.Trim(name, "\\/ \t"))
}

// learn has a name taken out wherever it is a word of its own, and its parts, if it has blanks or commas.
func (r *redactor) learn(kind nameKind, name string) {
	r.add(kind, name)
	r.addParts(kind, name)
}

func (r *redactor) addParts(kind nameKind, name string) {
	parts := strings.FieldsFunc(folded(name), func(c rune) bool { return c == ' ' || c == ',' })
	for _, part := range parts[:min(len(parts), maxParts)] {
		if utf8.RuneCountInString(part) >= minName {
			r.add(kind, part)
		}
	}
}

// maxParts bounds the parts of a name.
const maxParts = 8

func (r *redactor) add(kind nameKind, name string) {
	low := folded(name)
	number := !strings.ContainsFunc(low, unicode.IsLetter) && !(kind == hostName && strings.ContainsAny(low, ".:"))
	if r.names[low] != "" || number || common[low] {
		return
	}
	r.counts[kind]++
	with := fmt.Sprintf("%s%d", kind, r.counts[kind])
	r.names[low] = with
	if n := utf8.RuneCountInString(low); n < minName || n > maxName {
		return
	}
	r.literal.add(low, with)
	bare := strings.Map(func(c rune) rune {
		if quoteOrSlash(c) {
			return -1
		}
		return c
	}, low)
	if utf8.RuneCountInString(bare) >= minName {
		r.bare.add(bare, with)
	}
}

// see looks for names in a text.
func (r *redactor) see(text string) {
	for line := range strings.Lines(text) {
		r.eachPlace(line, func(_, _ int, p place, name string) {
			switch {
			case p.sure:
				r.learn(p.kind, name)
			case !common[folded(word(name))]:
				r.add(p.kind, name)
				r.add(p.kind, word(name))
			}
		})
	}
}

// eachPlace finds where names stand in a line, in all ways of reading it.
func (r *redactor) eachPlace(line string, do func(from, to int, p place, name string)) {
	for _, as := range ways(line) {
		units := read(line, as)
		var b strings.Builder
		at := make([]int, 0, len(line)+1) // of each byte, its unit
		for n, u := range units {
			b.WriteRune(u.r)
			for len(at) < b.Len() {
				at = append(at, n)
			}
		}
		s := b.String()
		for _, p := range places(s) {
			if p.to > p.from {
				do(units[at[p.from]].from, units[at[p.to-1]].to, p, s[p.from:p.to])
			}
		}
	}
}

func ways(line string) []way {
	if isPlain(line) {
		return []way{literally}
	}
	return []way{literally, decoded, unescaped}
}

// text is a text without all that.
func (r *redactor) text(text string) string {
	for _, form := range secrets {
		text = replaceGroup(form, text, func(string) string { return secret })
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(replaced(line, r.found(line)))
	}
	return b.String()
}

// span is what is replaced.
type span struct {
	from, to int
	with     string
}

// found are the names in a line.
func (r *redactor) found(line string) (list []span) {
	r.eachPlace(line, func(from, to int, p place, name string) {
		low := folded(name)
		if with := r.names[low]; with != "" && (p.sure || !common[folded(word(name))]) {
			list = append(list, span{from, to, with})
		}
	})
	for _, as := range ways(line) {
		tree, units := &r.bare, read(line, as)
		if as == literally {
			tree = &r.literal
		}
		for n := 0; n < len(units); n++ {
			if n > 0 && ofWord(units[n].r) && ofWord(units[n-1].r) && !letterEscape(units, n) {
				continue
			}
			if end, with := tree.find(units, n, as != literally); end > n {
				list = append(list, span{units[n].from, units[end-1].to, with})
				n = end - 1
			}
		}
	}
	return list
}

// letterEscape tells that before a unit there is \n or the like, whose letter is none of a word.
func letterEscape(units []unit, n int) bool {
	return n > 1 && units[n-2].r == '\\' && strings.ContainsRune("nrt", units[n-1].r)
}

// replaced has each span replaced, and those that overlap by what stands for the longest of the first ones.
func replaced(line string, spans []span) string {
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	var b strings.Builder
	at := 0
	for n := 0; n < len(spans); {
		s := spans[n]
		for n++; n < len(spans) && spans[n].from < s.to; n++ {
			s.to = max(s.to, spans[n].to)
		}
		b.WriteString(line[at:s.from])
		b.WriteString(s.with)
		at = s.to
	}
	return b.String() + line[at:]
}

// replaceGroup replaces the first group of each match.
func replaceGroup(form *regexp.Regexp, text string, with func(string) string) string {
	var b strings.Builder
	at := 0
	for _, m := range form.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[at:m[2]])
		b.WriteString(with(text[m[2]:m[3]]))
		at = m[3]
	}
	return b.String() + text[at:]
}
