// Package redact takes what names a person or a machine, and what may be a secret, out of texts
// that are to be shown to others: logs, configurations, answers.
//
// It knows what such things look like, and those that it was told. It is to see all texts before the
// first one is redacted, so that a name that is plain in one of them is found in all. The same
// thing has the same stand-in everywhere.
//
// Law: what is not understood may be taken out, never the other way round; what stands in has no
// byte of what it stands for.
package redact

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what something is; it stands in for it, with a number.
type Kind string

// The kinds.
const (
	User   Kind = "USER"
	Host   Kind = "HOST"
	Word   Kind = "WORD" // of a command line
	secret      = "SECRET"
)

// minName is how long a name must be to be looked for anywhere; a shorter one is found in paths.
const minName = 3

// common are names that tell of nobody, in lower case.
var common = map[string]bool{
	"root": true, "docker": true, "system": true, "administrator": true, "administrators": true, "public": true, "default": true,
	"localhost": true, "windows": true, "users": true, "user": true, "home": true, "nobody": true, "wsl": true, "debian": true, "ubuntu": true,
	"dial-stdio": true, "session": true, "run": true, "wslc": true, "ssh": true, "ssh.exe": true, "docker.exe": true, "wsl.exe": true,
	"workgroup": true, "true": true, "false": true,
}

// forms are where names and secrets stand. The group is what is taken out.
var (
	homes = []*regexp.Regexp{
		regexp.MustCompile(`(?i)[\\/]users[\\/]+([^\\/\s"':;,<>|]+)`),
		regexp.MustCompile(`/home/([^/\s"':;,]+)`),
	}
	owners  = regexp.MustCompile(`(?:owner"?\s*[:=]\s*"?)([A-Za-z0-9._-]+):([A-Za-z0-9._-]+)`)
	secrets = []*regexp.Regexp{
		regexp.MustCompile(`(?i)(?:authorization|x-registry-auth|x-registry-config)"?\s*[:=]\s*"?(?:(?:bearer|basic)\s+)?([^\s",;]+)`),
		regexp.MustCompile(`(?i)(?:token|passwd|password|passphrase|secret|api[_-]?key|access[_-]?key|credentials?)[a-z_-]*"?\s*[:=]\s*"?([^\s",;]+)`),
		regexp.MustCompile(`(?i)(?:bearer|basic)\s+([A-Za-z0-9+/=._~-]{8,})`),
		regexp.MustCompile(`(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)`),                                    // a JWT
		regexp.MustCompile(`((?:gh[pousr]|github_pat|glpat|xox[abp]|dckr_pat)[_-][A-Za-z0-9_-]{10,}|A(?:KIA|SIA)[A-Z0-9]{16})`), // of services
		regexp.MustCompile(`://([^/\s"@]+)@`),
		regexp.MustCompile(`S-1-5-21-([0-9-]+)`),
	}
	mail    = regexp.MustCompile(`([A-Za-z0-9._%+-]+)@([A-Za-z0-9.-]*[A-Za-z0-9])`)
	address = regexp.MustCompile(`(?:tcp|ssh|https?)://(\[?[^/\s"@\]]+\]?)`)
)

// Redactor has what is to be taken out.
type Redactor struct {
	names   map[string]string // in lower case, and what stands in
	ordered []string          // the longest first, so that none hides in another
	counts  map[Kind]int
}

// New makes one that knows of forms alone.
func New() *Redactor { return &Redactor{names: map[string]string{}, counts: map[Kind]int{}} }

// Add has a name taken out wherever it is a word of its own.
func (r *Redactor) Add(kind Kind, name string) {
	low := strings.ToLower(strings.Trim(name, `\/ `))
	if low == "" || common[low] || r.names[low] != "" {
		return
	}
	r.counts[kind]++
	r.names[low] = fmt.Sprintf("%s%d", kind, r.counts[kind])
	if utf8.RuneCountInString(low) >= minName {
		r.ordered = append(r.ordered, low)
		slices.SortStableFunc(r.ordered, func(a, b string) int { return len(b) - len(a) })
	}
}

// See looks for names in a text.
func (r *Redactor) See(text string) {
	for _, form := range homes {
		for _, m := range form.FindAllStringSubmatch(text, -1) {
			r.Add(User, m[1])
		}
	}
	for _, m := range owners.FindAllStringSubmatch(text, -1) {
		r.Add(User, m[1])
		r.Add(User, m[2])
	}
	for _, m := range mail.FindAllStringSubmatch(text, -1) {
		r.Add(User, m[1])
		r.Add(Host, m[2])
	}
	for _, m := range address.FindAllStringSubmatch(text, -1) {
		host, _, _ := strings.Cut(m[1], ":")
		r.Add(Host, host)
	}
}

// Text is a text without all that.
func (r *Redactor) Text(text string) string {
	for _, form := range secrets {
		text = replaceGroup(form, text, func(string) string { return secret })
	}
	for _, form := range homes {
		text = replaceGroup(form, text, func(name string) string {
			if in := r.names[strings.ToLower(name)]; in != "" {
				return in
			}
			return name
		})
	}
	for _, name := range r.ordered {
		text = replaceWord(text, name, r.names[name])
	}
	return text
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

// replaceWord replaces a word in any case where no letter or digit is beside it.
func replaceWord(text, word, with string) string {
	form := regexp.MustCompile(`(?i)` + regexp.QuoteMeta(word))
	var b strings.Builder
	at := 0
	for _, m := range form.FindAllStringIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:m[0]])
		behind, _ := utf8.DecodeRuneInString(text[m[1]:])
		if ofWord(before) && !escape(text[:m[0]]) || ofWord(behind) {
			continue
		}
		b.WriteString(text[at:m[0]])
		b.WriteString(with)
		at = m[1]
	}
	return b.String() + text[at:]
}

func ofWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// escape tells whether a text ends in \n or the like, whose letter is none of a word.
func escape(text string) bool {
	return len(text) > 1 && text[len(text)-2] == '\\' && strings.ContainsRune("nrt", rune(text[len(text)-1]))
}
