package advice

import (
	"errors"
	"fmt"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/distro"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/dockercontext"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// ContextHints are for a docker context that could not be made or removed.
func ContextHints(name string, err error) []codes.Hint {
	var named *distro.ContextError
	var problem *dockercontext.ProblemError
	if errors.As(err, &named) {
		other := codes.ContextMade.Hint("to make one of another name, which install takes, too", "docker-wsl-bridge up --context NAME")
		if named.State == dockercontext.Taken {
			return []codes.Hint{other, codes.ContextMade.Hint("to remove it, so that the next up makes it anew",
				"docker-wsl-bridge context rm --distro "+codes.WindowsWord(name)+" "+codes.WindowsWord(named.Name))}
		}
		return []codes.Hint{other, codes.ContextMade.Hint("to remove it, in "+name, "docker context rm "+codes.ShWord(named.Name))}
	}
	without := codes.ContextMade.Hint("to do without a docker context", "docker-wsl-bridge up --context none")
	if !errors.As(err, &problem) {
		return []codes.Hint{codes.ContextMade.Hint("to try again", "docker-wsl-bridge context create --distro "+codes.WindowsWord(name)), without}
	}
	as := InDistro(name, "root") + " "
	switch problem.Problem {
	case dockercontext.NoHome:
		return []codes.Hint{codes.ContextMade.Hint("to make the user's directory", as+"install -d -o "+problem.User+" ~"+problem.User), without}
	case dockercontext.Denied:
		return []codes.Hint{codes.ContextMade.Hint("to give the directory to its user", as+"chown -R "+problem.User+": ~"+problem.User+"/.docker"), without}
	case dockercontext.ReadOnly, dockercontext.NoSpace:
		return []codes.Hint{codes.ContextMade.Hint("to see what is full or read-only", InDistro(name, "")+" df -h ~"), without}
	}
	return []codes.Hint{without}
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
