package links

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/config"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/paths"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/wsl"
)

var (
	errOneDistro  = errors.New(`it is for distro = "*"; leave the line out`)
	errOwnerUids  = errors.New(`it is for distro = "*"; write owner and mode`)
	errOtherNames = errors.New(`names and groups are others in another distro; write whom to let in by number: uids = [1000]`)
	errOtherUsers = errors.New("each distro has contexts of its own; docker context create makes one in each that wants it")
	errNotShared  = errors.New("it is no socket that every distro sees; write unix:" + paths.UsualShared + "/docker-wsl-bridge/NAME.sock, in that directory or another one below " + paths.UsualShared)
)

const reverseForm = `a pipe leads to a socket in a distro; write to = "unix:/var/run/docker.sock"`

// Set is a configuration: the files as they were read, and their links, in the same order.
type Set struct {
	Files *config.Config
	Links []Link
}

// FromFlags tells a Set of flags, which has no files.
func (s *Set) FromFlags() bool { return s.Files == nil }

// Load reads the machine's and the user's file. The error is a config.Errors if they can be read and are wrong; then
// the files are given all the same, as far as they could be understood.
func Load(machine, user, goos string) (*Set, error) {
	c, err := config.Load(machine, user)
	return parseLinks(c, err, goos)
}

// CheckFile reads a file as a user's, by itself.
func CheckFile(name, goos string) (*Set, error) {
	c, err := config.CheckFile(name)
	return parseLinks(c, err, goos)
}

// LoadNamed is Load but for files that name no link: the default one is not looked into, since it depends on
// what there is. Its Set has no links.
func LoadNamed(machine, user, goos string) (*Set, error) {
	c, err := config.Load(machine, user)
	if err == nil && c.Default {
		return &Set{Files: c}, nil
	}
	return parseLinks(c, err, goos)
}

// parseLinks makes links of a configuration, or tells what can't be served and where that is written.
func parseLinks(c *config.Config, err error, goos string) (*Set, error) {
	if err != nil {
		return nil, err
	}
	s := &Set{Files: c}
	var wrong config.Errors
	right := make([]*Link, len(c.Links))
	for i := range c.Links {
		l, bad := ofKeys(&c.Links[i], goos)
		if bad != nil {
			wrong = append(wrong, bad)
			continue
		}
		right[i] = &l
		s.Links = append(s.Links, l)
	}
	wrong = append(append(wrong, samePipes(c.Links, right)...), sameContexts(c.Links, right)...)
	if len(wrong) > 0 {
		return s, wrong
	}
	return s, nil
}

// ofKeys parses a file's link.
func ofKeys(from *config.Link, goos string) (Link, *config.Error) {
	if from.IsReverse() {
		return reverseOfKeys(from, goos)
	}
	l := Link{
		Name: from.Name, Distro: from.Distro, Shared: from.Distro == config.All, Host: from.Host, Mode: from.Mode, Owner: from.Owner,
		Kind: from.Kind, KeepAlive: from.KeepAlive, Paths: from.Paths, TrustOwner: from.TrustPipeOwner, To: from.To.String(),
	}
	place, err := endpoint.Parse(from.From, "linux")
	if err != nil {
		return l, from.WrongValue("from", err)
	}
	l.Socket = place.Path()
	if key, err := l.parseShared(from); err != nil {
		return l, from.WrongValue(key, err)
	}
	if err := checkDistro(l.Distro); !l.Shared && err != nil {
		return l, from.WrongValue("distro", err)
	}
	if from.Allow != "" {
		return l, from.WrongValue("allow", errors.New("that is for a pipe on Windows; mode and owner say who may use a socket"))
	}
	if from.Mode != "" {
		if bits, err := strconv.ParseUint(from.Mode, 8, 32); err != nil || bits > 0o777 {
			return l, from.WrongValue("mode", errors.New("it is no octal number up to 0777, such as \"0660\""))
		}
	}
	if key, err := l.leadTo(from, goos); err != nil {
		return l, from.WrongValue(key, err)
	}
	return l, nil
}

// parseShared understands what is of a link of all distros alone, or says which key is wrong.
func (l *Link) parseShared(from *config.Link) (key string, err error) {
	switch {
	case !l.Shared && from.Host != "":
		return "host", errOneDistro
	case !l.Shared && len(from.Uids) > 0:
		return "uids", errOwnerUids
	case !l.Shared:
		return "", nil
	case from.Owner != "":
		return "owner", errOtherNames
	case from.Mode != "":
		return "mode", errOtherNames
	case from.Context != "" && from.Context != config.Off:
		return "context", errOtherUsers
	case path.Dir(path.Dir(l.Socket)) != paths.UsualShared:
		return "from", errNotShared
	}
	if from.Host != "" {
		if _, err := (wsl.Launch{Distro: from.Host, Argv: []string{"true"}}).ArgList(); err != nil {
			return "host", err
		}
	}
	l.Uids = from.Uids
	return "", nil
}

// leadTo notes the other end, and what is known of it.
func (l *Link) leadTo(from *config.Link, goos string) (key string, err error) {
	to := from.To
	switch {
	case to.Exec != nil:
		l.Engine, err = endpoint.Exec(to.Exec)
	case !to.IsAuto():
		l.Engine, err = endpoint.Parse(to.Place, goos)
	case goos != "windows":
		err = errors.New("engines are looked for on Windows only; write to = \"unix:/var/run/docker.sock\"")
	}
	if err != nil {
		return "to", err
	}
	if err := l.nameContext(from.Context, config.Off); err != nil {
		return "context", err
	}
	if l.TrustOwner && (goos == "windows" && to.IsAuto() || to.Exec != nil) {
		return "trust-pipe-owner", errors.New("the pipe must be named; write to = \"NAME\"")
	}
	if l.Kind == config.Raw && to.IsAuto() {
		return "kind", errors.New("raw needs to be told what to carry; write to = \"NAME\"")
	}
	return "", nil
}

// reverseOfKeys parses a file's link whose clients are on Windows.
func reverseOfKeys(from *config.Link, goos string) (Link, *config.Error) {
	l := Link{Name: from.Name, Distro: from.Distro, Kind: from.Kind, KeepAlive: from.KeepAlive, Paths: config.Off, To: from.To.String()}
	if goos != "windows" {
		return l, from.WrongValue("from", errors.New("a pipe is a place on Windows; write unix:/PATH, a socket in the distro"))
	}
	var err error
	if l.Pipe, err = endpoint.Parse(from.From, goos); err != nil {
		return l, from.WrongValue("from", err)
	}
	l.Socket = l.Pipe.String()
	if from.To.Exec != nil || from.To.IsAuto() {
		return l, from.WrongValue("to", errors.New(reverseForm))
	}
	to, err := endpoint.Parse(from.To.Place, "linux")
	if err != nil {
		return l, from.WrongValue("to", fmt.Errorf("%w (%s)", err, reverseForm))
	}
	l.Target = to.Path()
	if from.Distro == config.All {
		return l, from.WrongValue("distro", errors.New("a pipe leads to one distro; name it"))
	}
	if err := checkDistro(l.Distro); err != nil {
		return l, from.WrongValue("distro", err)
	}
	if from.Allow != "" {
		if l.Allowed, err = endpoint.ParseAllowed(from.Allow); err != nil {
			return l, from.WrongValue("allow", err)
		}
	}
	for _, no := range notReverse {
		if _, set := from.SourceOf(no.key); set {
			return l, from.WrongValue(no.key, errors.New(no.why+"; leave the line out"))
		}
	}
	return l, nil
}

// notReverse are keys that say nothing of a pipe.
var notReverse = []struct{ key, why string }{
	{"host", "a pipe leads to one distro"},
	{"paths", "they are translated for engines of Windows alone"},
	{"context", "a docker context is made in a distro, for a socket there"},
	{"mode", "allow says who may connect to a pipe"},
	{"owner", "allow says who may connect to a pipe"},
	{"trust-pipe-owner", "the pipe is one's own"},
}

// samePipes are reverse links at one pipe, however that is written. What could not be parsed is nil.
func samePipes(from []config.Link, parsed []*Link) (wrong config.Errors) {
	seen := map[string]string{} // links, by pipes
	for i, l := range parsed {
		if l == nil || !l.IsReverse() {
			continue
		}
		pipe := strings.ToLower(l.Socket)
		if other := seen[pipe]; other != "" {
			wrong = append(wrong, from[i].WrongValue("from", fmt.Errorf("the link %s has that pipe already", other)))
			continue
		}
		seen[pipe] = l.Name
	}
	return wrong
}

// sameContexts are links of a distro that would have one docker context.
func sameContexts(from []config.Link, parsed []*Link) (wrong config.Errors) {
	seen := map[string]string{} // links, by distros and contexts
	for i, l := range parsed {
		if l == nil || l.Context == "" {
			continue
		}
		context := strings.ToLower(l.Distro) + "\x00" + l.Context
		if other := seen[context]; other != "" {
			wrong = append(wrong, from[i].WrongValue("context", fmt.Errorf("the link %s has the docker context %s already; write another name, or off", other, l.Context)))
			continue
		}
		seen[context] = l.Name
	}
	return wrong
}
