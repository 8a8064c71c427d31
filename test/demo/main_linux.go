// Command demo does the main job once, step by step, on real parts: a docker
// command in a distro runs a container on an engine behind a Windows named
// pipe, through the Windows program (under Wine) and its agent.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// bound is what all of it may take; the first run makes a Wine prefix.
const bound = 5 * time.Minute

func main() {
	drawing := flag.String("picture", "", "tell a longer story, and draw it into this SVG `file`")
	flag.Parse()
	os.Exit(run(os.Stdout, *drawing))
}

func run(out io.Writer, drawing string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	if err := demo(ctx, out, drawing); err != nil {
		fmt.Fprintln(os.Stderr, "demo: error:", err)
		return 1
	}
	return 0
}

func demo(ctx context.Context, out io.Writer, drawing string) (err error) {
	if err := lab.Missing(stage.Parts...); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "docker-wsl-bridge-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	title(out, 1, "Set the stage: a Windows (Wine), a dockerd behind a named pipe, and WSL distros")
	s, err := stage.Open(ctx, dir, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if drawing != "" {
		return story(ctx, s, out, drawing)
	}
	return play(ctx, s, out)
}

func play(ctx context.Context, s *stage.Stage, out io.Writer) error {
	title(out, 2, "On Windows: start the bridge")
	args := []string{"up", "--pipe", stage.EnginePipe}
	fmt.Fprintf(out, "C:\\> docker-wsl-bridge %s\n", strings.Join(args, " "))
	console, err := s.Wine.Console(s.Windows(context.WithoutCancel(ctx), args...))
	if err != nil {
		return err
	}
	if err := console.Await(ctx, "Ctrl-C ends the bridge."); err != nil {
		return errors.Join(err, end(console))
	}
	fmt.Fprint(out, console.Output())

	title(out, 3, "In WSL: run containers through it")
	err = clients(ctx, s, out)

	title(out, 4, "On Windows: Ctrl-C")
	said := len(console.Output())
	if err := errors.Join(err, console.Interrupt(), end(console)); err != nil {
		return err
	}
	fmt.Fprint(out, console.Output()[said:])
	return leftovers(s, out)
}

// end waits for the bridge to end well.
func end(console *lab.Console) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := console.End(ctx, 0); err != nil {
		return fmt.Errorf("end the bridge: %w", err)
	}
	return nil
}

// clients are docker commands of the distro's user.
func clients(ctx context.Context, s *stage.Stage, out io.Writer) error {
	const host = "unix:///run/docker-wsl-bridge/windows.sock"
	fmt.Fprintf(out, "%s@%s$ export DOCKER_HOST=%s\n", stage.User, stage.Debian, host)
	for _, line := range []string{
		"docker version --format 'client {{.Client.Version}}, engine {{.Server.Version}}'",
		"docker run --rm --network none " + s.Docker.Image + " echo 'Hello from a container, through one wsl.exe'",
		"echo 'stdin, ended at once' | docker run --rm -i --network none " + s.Docker.Image + " sh -c 'cat; sleep 2; echo and output 2 s later'",
		"docker run --rm --network none " + s.Docker.Image + " sh -c 'exit 3'; echo \"exit code $?\"",
	} {
		fmt.Fprintf(out, "%s@%s$ %s\n", stage.User, stage.Debian, line)
		cmd := s.Client(ctx, "sh", "-c", line)
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+host)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("run %s: %w", line, err)
		}
	}
	return nil
}

// leftovers wants nothing but the agent's file in the distro's tmpfs.
func leftovers(s *stage.Stage, out io.Writer) error {
	pids, err := s.VM.Pids(stage.Debian)
	if err != nil {
		return err
	}
	var left []string
	for _, p := range s.Wine.Processes() {
		if strings.Contains(p, "wsl.exe") || strings.Contains(p, "docker-wsl-bridge") {
			left = append(left, p)
		}
	}
	files, err := os.ReadDir(s.VM.Path(stage.Debian, "/run/docker-wsl-bridge"))
	if err != nil {
		return err
	}
	if len(pids) > 0 || len(left) > 0 || len(files) != 1 {
		return fmt.Errorf("left behind: processes %v and %q, files %v", pids, left, files)
	}
	fmt.Fprintf(out, "\nLeft behind: no process on either side, and in the distro's tmpfs the agent's file, %s.\n", files[0].Name())
	return nil
}

func title(out io.Writer, n int, text string) { fmt.Fprintf(out, "\n== %d. %s\n\n", n, text) }
