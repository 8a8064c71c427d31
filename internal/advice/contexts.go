package advice

import (
	"errors"
	"fmt"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
) // ContextHints are for a docker context that could not be made or removed.
func ContextHints(name string, err error) []codes.Hint {
	var named *distro.ContextError
	var problem *dockercontext.ProblemError
	if errors.As(err, &named) {
		list := codes.ContextMade.Hints("docker-wsl-bridge up --context NAME, or install with it, makes one of another name")
		if named.State == dockercontext.Taken {
			return append(list, codes.ContextMade.Hint("docker-wsl-bridge context rm --distro "+codes.WindowsWord(name)+" "+codes.WindowsWord(named.Name)+" removes it, and the next up makes it anew"))
		}
		return append(list, codes.ContextMade.Hint("docker context rm "+codes.ShWord(named.Name)+", in "+name+", removes it"))
	}
	if !errors.As(err, &problem) {
		return codes.ContextMade.Hints("docker-wsl-bridge context create --distro "+codes.WindowsWord(name)+" tries again", "docker-wsl-bridge up --context none does without")
	}
	as := InDistro(name, "root") + " "
	switch problem.Problem {
	case dockercontext.NoHome:
		return codes.ContextMade.Hints(as+"install -d -o "+problem.User+" ~"+problem.User+" makes the user's directory", "docker-wsl-bridge up --context none does without")
	case dockercontext.Denied:
		return codes.ContextMade.Hints(as+"chown -R "+problem.User+": ~"+problem.User+"/.docker gives the directory to its user", "docker-wsl-bridge up --context none does without")
	case dockercontext.ReadOnly, dockercontext.NoSpace:
		return codes.ContextMade.Hints(InDistro(name, "")+" df -h ~ shows what is full or read-only", "docker-wsl-bridge up --context none does without")
	}
	return codes.ContextMade.Hints("docker-wsl-bridge up --context none does without")
}

// HowDocker is what to run next in a distro.
func HowDocker(distro, host, context string) string {
	distro, host, context = printable.Line(distro), printable.Line(codes.ShWord(host)), codes.ShWord(context)
	if context == codes.ShWord("") {
		return fmt.Sprintf("In %s run\n\n  docker -H %s version\n\nor, for all that follows in a shell,\n\n  export DOCKER_HOST=%s\n\n", distro, host, host)
	}
	return fmt.Sprintf(`In %s run

  docker --context %s version

or, for all that follows,

  docker context use %s

and for programs that know no contexts

  export DOCKER_HOST=%s

`, distro, context, context, host)
}

func AstrayWords(name, note string) string {
	return printable.Escape(fmt.Sprintf("%s there: docker context use %s has no effect while it is, docker --context %s has", note, name, name))
}
