package support

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// Private are names that only the configuration tells to be some.
type Private struct {
	Commands [][]string // that links lead to
	Accounts []string   // users and groups that links let in, as the configuration has them
}

// withoutNames are the parts as others may see them.
func withoutNames(parts []Part, private Private) []Part {
	r := newRedactor()
	r.learnOwnNames()
	r.learnRecordedUsers()
	for _, argv := range private.Commands {
		r.learnCommand(argv)
	}
	for _, names := range private.Accounts {
		for _, name := range strings.FieldsFunc(names, func(c rune) bool { return strings.ContainsRune(`,:\@`, c) }) {
			r.learn(userName, name)
		}
	}
	for _, p := range parts {
		r.see(p.Text)
		r.see(p.Name)
	}
	out := make([]Part, len(parts))
	for i, p := range parts {
		out[i] = Part{r.text(p.Name), r.text(p.Text), p.When}
	}
	return out
}

// learnOwnNames adds those of the user and the machine.
func (r *redactor) learnOwnNames() {
	if u, err := user.Current(); err == nil {
		domain, name, found := strings.Cut(u.Username, `\`)
		if !found {
			domain, name = "", u.Username
		}
		r.learn(userName, name)
		r.learn(userName, u.Name)
		r.learn(hostName, domain)
		r.learn(userName, filepath.Base(u.HomeDir))
	}
	for _, name := range []string{"USERNAME", "USER", "LOGNAME"} {
		r.learn(userName, os.Getenv(name))
	}
	host, _ := os.Hostname()
	for _, name := range []string{host, os.Getenv("COMPUTERNAME"), os.Getenv("USERDOMAIN"), os.Getenv("USERDNSDOMAIN")} {
		r.learn(hostName, name)
		short, _, _ := strings.Cut(name, ".")
		r.learn(hostName, short)
	}
}

// learnRecordedUsers adds users of distros in whose homes something was made.
func (r *redactor) learnRecordedUsers() {
	dir, err := state.Dir()
	if err != nil {
		return
	}
	made, _, _ := state.Remembered(dir) // what can't be read names nobody
	for _, m := range made {
		r.learn(userName, m.User)
	}
}

// learnCommand adds the words of a command but for its program and its options: they name machines,
// users and files.
func (r *redactor) learnCommand(argv []string) {
	for i, word := range argv {
		if i > 0 && !strings.HasPrefix(word, "-") {
			r.learn(wordName, word)
		}
	}
}
