package main

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/redact"
)

// withoutNames are the parts as others may see them.
func withoutNames(parts []part) []part {
	r := redact.New()
	addOwnNames(r)
	addRecordedUsers(r)
	if c, _ := loadConfig(); c != nil {
		for _, l := range c.Files.Links {
			addCommand(r, l.To.Exec)
			addOwners(r, &l)
		}
	}
	for _, p := range parts {
		r.See(p.text)
		r.See(p.name)
	}
	out := make([]part, len(parts))
	for i, p := range parts {
		out[i] = part{r.Text(p.name), r.Text(p.text), p.when}
		if p.name == "README.txt" {
			out[i].text = p.text // it is ours, and names the stand-ins
		}
	}
	return out
}

// addOwnNames adds those of the user and the machine.
func addOwnNames(r *redact.Redactor) {
	if u, err := user.Current(); err == nil {
		domain, name, found := strings.Cut(u.Username, `\`)
		if !found {
			domain, name = "", u.Username
		}
		r.Add(redact.User, name)
		r.Add(redact.User, u.Name)
		r.Add(redact.Host, domain)
		r.Add(redact.User, filepath.Base(u.HomeDir))
	}
	for _, name := range []string{"USERNAME", "USER", "LOGNAME"} {
		r.Add(redact.User, os.Getenv(name))
	}
	host, _ := os.Hostname()
	for _, name := range []string{host, os.Getenv("COMPUTERNAME"), os.Getenv("USERDOMAIN"), os.Getenv("USERDNSDOMAIN")} {
		r.Add(redact.Host, name)
		short, _, _ := strings.Cut(name, ".")
		r.Add(redact.Host, short)
	}
}

// addRecordedUsers adds users of distros in whose homes something was made.
func addRecordedUsers(r *redact.Redactor) {
	state, err := stateDir()
	if err != nil {
		return
	}
	made, _, _ := install.Remembered(state) // what can't be read names nobody
	for _, m := range made {
		r.Add(redact.User, m.User)
	}
}

// addOwners adds accounts, users and groups that a link lets in.
func addOwners(r *redact.Redactor, l *config.Link) {
	for _, name := range strings.FieldsFunc(l.Allow, func(c rune) bool { return c == ',' || c == '\\' || c == '@' }) {
		r.Add(redact.User, name)
	}
	for name := range strings.SplitSeq(l.Owner, ":") {
		r.Add(redact.User, name)
	}
}

// addCommand adds the words of a command but for its program and its options: they name machines,
// users and files.
func addCommand(r *redact.Redactor, argv []string) {
	for i, word := range argv {
		if i > 0 && !strings.HasPrefix(word, "-") {
			r.Add(redact.Word, word)
		}
	}
}
