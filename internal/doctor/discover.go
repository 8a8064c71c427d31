package doctor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// discoverTime bounds what one distro may cost.
const discoverTime = 20 * time.Second

// discovered is an engine, or a place where one should be.
type discovered struct {
	Distro  string          `json:"distro,omitempty"` // empty: it is one of Windows
	Place   string          `json:"place"`
	Whose   string          `json:"whose,omitempty"`
	Engine  *engine.Version `json:"engine,omitempty"`  // nil: none answers
	Problem string          `json:"problem,omitempty"` // why
	Use     []codes.Hint    `json:"use,omitempty"`     // how it is linked, or what is missing

	err error
}

// unseen is a distro that was not looked into.
type unseen struct {
	Distro string `json:"distro"`
	Why    string `json:"why"`
}

// discovery is what a script is told.
type discovery struct {
	Engines []discovered `json:"engines"`
	Unseen  []unseen     `json:"notLookedAt,omitempty"`
}

func DiscoverEngines(ctx context.Context, goos string) discovery {
	found := discovery{Engines: []discovered{}}
	if goos == "windows" {
		found.Engines = append(found.Engines, discoverPipes(ctx)...)
	}
	if w, err := distro.FindWSL(); err == nil {
		found.lookIntoDistros(ctx, w)
	}
	for i, d := range found.Engines {
		found.Engines[i].Use = discoverHints(d)
	}
	return found
}

// discoverPipes asks all pipes at once, each with what is trusted of pipes.
func discoverPipes(ctx context.Context) (list []discovered) {
	known := engine.KnownPipes()
	all := make([]discovered, len(known))
	var asking sync.WaitGroup
	for i, p := range known {
		asking.Go(func() {
			place, err := endpoint.Parse(p.Name, "windows")
			var v engine.Version
			if err == nil {
				v, err = engine.AskVersion(ctx, place.Dial)
			}
			all[i] = withAnswer(discovered{Place: place.String(), Whose: p.Whose}, v, err)
		})
	}
	asking.Wait()
	for _, d := range all {
		if !errors.Is(d.err, fs.ErrNotExist) {
			list = append(list, d)
		}
	}
	return list
}

func withAnswer(d discovered, v engine.Version, err error) discovered {
	if err == nil {
		d.Engine = &v
		return d
	}
	d.err, d.Problem = err, printable.Line(err.Error())
	return d
}

// lookIntoDistros looks into those that run; and for WSL's own containers.
func (found *discovery) lookIntoDistros(ctx context.Context, w distro.WSL) {
	if wslc := filepath.Join(filepath.Dir(w.Path()), "wslc.exe"); isFile(wslc) {
		found.Engines = append(found.Engines, withAnswer(discovered{Place: wslc, Whose: "WSL containers"}, engine.Version{}, errNoPipe))
	}
	names, err := w.RunningDistros(ctx)
	agent, agentErr := deploy.Own()
	if err = errors.Join(err, agentErr); err != nil {
		found.Unseen = append(found.Unseen, unseen{"", printable.Line(err.Error())})
		return
	}
	lists, errs := make([][]discovered, len(names)), make([]error, len(names))
	var asking sync.WaitGroup
	for i, name := range names {
		asking.Go(func() { lists[i], errs[i] = discoverIn(ctx, w, name, deploy.AgentPath(agent.Hash)) })
	}
	asking.Wait()
	for i, name := range names {
		found.Engines = append(found.Engines, lists[i]...)
		if errs[i] != nil {
			found.Unseen = append(found.Unseen, unseen{name, printable.Line(errs[i].Error())})
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

var (
	errNoPipe  = errors.New("not asked: it listens at no pipe, and to ask it would start it")
	errNoAgent = errors.New("there, not asked: the agent of this build, which asks, is not in the distro")
	errBarred  = fmt.Errorf("the distro's user may not connect: %w", fs.ErrPermission)
	errWords   = errors.New("the agent's program said something else than what it should")
)

// discoverIn asks the engines of a distro, with the eyes of its user. It writes nothing there: without
// the agent it tells no more than which sockets there are.
func discoverIn(ctx context.Context, w distro.WSL, distro, agent string) ([]discovered, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	said, err := w.AsUser(ctx, distro, []string{agent, "engines"})
	if errors.Is(err, fs.ErrNotExist) {
		return socketsIn(ctx, w, distro)
	}
	if err != nil {
		return nil, err
	}
	// It is of a build with the program that says it (cmd/docker-wsl-agent).
	var answers []struct {
		Socket string
		Denied bool
		Answer []byte
	}
	if json.Unmarshal(said, &answers) != nil {
		return nil, errWords
	}
	var list []discovered
	for _, a := range answers {
		v, err := engine.ReadVersion(bytes.NewReader(a.Answer))
		switch {
		case !isSocket(a.Socket):
			return nil, errWords
		case a.Denied:
			err = errBarred
		case len(a.Answer) == 0:
			err = engine.ErrNoAnswer
		case err != nil:
			err = engine.ErrNotEngine
		}
		list = append(list, withAnswer(discovered{Distro: distro, Place: "unix:" + a.Socket}, v, err))
	}
	return list, nil
}

// lookForSockets prints "there SOCKET" or, where the user may not connect, "barred SOCKET", as a shell of
// every distro can.
func lookForSockets() string {
	return "u=$(id -u); for s in " + strings.Join(engine.KnownSockets("$u"), " ") +
		"; do if [ -S $s ]; then if [ -w $s ]; then echo there $s; else echo barred $s; fi; fi; done"
}

// socketsIn are the sockets of a distro that its user sees, and where engines listen as a rule.
func socketsIn(ctx context.Context, w distro.WSL, distro string) (list []discovered, _ error) {
	said, err := w.AsUser(ctx, distro, []string{"/bin/sh", "-c", lookForSockets()})
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(said)) {
		how, socket, _ := strings.Cut(strings.TrimSpace(line), " ")
		why, ok := map[string]error{"there": errNoAgent, "barred": errBarred}[how]
		if ok && isSocket(socket) && len(list) < len(engine.KnownSockets("")) {
			list = append(list, withAnswer(discovered{Distro: distro, Place: "unix:" + socket}, engine.Version{}, why))
		}
	}
	return list, nil
}

var ofUser = regexp.MustCompile(`^/run/user/([0-9]{1,10})/`)

// isSocket tells whether engines are looked for there: what a distro says comes to stand in commands that a
// person is told.
func isSocket(path string) bool {
	uid := ""
	if m := ofUser.FindStringSubmatch(path); m != nil {
		uid = m[1]
	}
	return slices.Contains(engine.KnownSockets(uid), path)
}

// TextForPerson is for a person.
func (found discovery) TextForPerson() string {
	var text strings.Builder
	line := func(format string, args ...any) {
		text.WriteString(printable.Escape(fmt.Sprintf(format, args...)) + "\n")
	}
	for _, d := range found.Engines {
		whose := ""
		if d.Whose != "" {
			whose = "  (" + d.Whose + ")"
		}
		line("%-9s %s%s", cmp.Or(d.Distro, "Windows"), d.Place, whose)
		if v := d.Engine; v != nil {
			line("          %s, for %s containers, API %s", strings.TrimSpace(v.Platform+" "+v.Version), v.OSType, apiRange(v))
		} else {
			line("          %s", d.Problem)
		}
		for _, use := range d.Use {
			line("          %s", use.String())
		}
	}
	for _, u := range found.Unseen {
		line("%-9s not looked at: %s", u.Distro, u.Why)
	}
	return text.String()
}

func apiRange(v *engine.Version) string {
	if v.MinAPIVersion == "" {
		return v.APIVersion
	}
	return v.MinAPIVersion + " to " + v.APIVersion
}
