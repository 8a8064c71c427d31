package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/picture"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/recorder"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

const (
	storyColumns = 110
	// readTime is a pause that is added before each step, so that people can read.
	readTime = 1500 * time.Millisecond
	// maxStep bounds how long a step takes in the picture.
	maxStep = 3 * time.Second
)

// step is a command of the story and what it has said.
type step struct {
	prompt, line, said string
	took               time.Duration
}

// adder adds a step that has begun then and ends now.
type adder func(prompt, line, said string, began time.Time)

const windows = `PS C:\> `

// story plays the whole of it and writes its picture.
func story(ctx context.Context, s *stage.Stage, out io.Writer, file string) error {
	var steps []step
	add := func(prompt, line, said string, began time.Time) {
		said = strings.Trim(strings.ReplaceAll(lab.WithoutWine(said), "\r", ""), "\n")
		steps = append(steps, step{prompt, line, said, time.Since(began)})
		fmt.Fprintf(out, "%s%s\n%s\n", prompt, line, said)
	}
	if err := tell(ctx, s, add); err != nil {
		return err
	}
	return os.WriteFile(file, drawn(steps), 0o644)
}

// tell runs the story's commands for real.
func tell(ctx context.Context, s *stage.Stage, add adder) error {
	began := time.Now()
	console, err := s.Wine.Console(s.Windows(context.WithoutCancel(ctx), "up", "--pipe", stage.EnginePipe))
	if err != nil {
		return err
	}
	if err := console.Await(ctx, "Ctrl-C ends the bridge."); err != nil {
		return errors.Join(err, end(console))
	}
	add(windows, "docker-wsl-bridge up --pipe "+stage.EnginePipe, console.Output(), began)
	run := func(line string) { shell(ctx, s, add, "~", line) }
	run("docker context use windows")
	run("docker run --rm --network none " + s.Docker.Image + " echo 'hello, through one wsl.exe'")
	run("seq 3 | docker run --rm -i --network none " + s.Docker.Image + " sh -c 'cat; sleep 1; echo the input has ended, the output goes on'")
	if err := mount(ctx, s, add); err != nil {
		return errors.Join(err, end(console))
	}
	if err := s.Engine.Kill(); err != nil {
		return errors.Join(err, end(console))
	}
	add("# ", "the second bridge is ended, and the first one's engine", "", time.Now())
	run("docker ps")
	began = time.Now()
	checks := says(s.Windows(ctx, "doctor"))
	add(windows, "docker-wsl-bridge doctor    # what is not ok, of 26 checks", matching(checks, "failed ", "why: ", "hint: "), began)
	if err := s.Engine.Start(ctx); err != nil {
		return errors.Join(err, end(console))
	}
	add("# ", "the engine is started again", "", time.Now())
	run("docker version --format '{{.Server.Version}} is back'")
	before := len(console.Output())
	began = time.Now()
	err = errors.Join(console.Interrupt(), end(console))
	add("", "^C", console.Output()[before:], began)
	return err
}

// shell runs a line in a directory of the distro.
func shell(ctx context.Context, s *stage.Stage, add adder, dir, line string) {
	began := time.Now()
	add(stage.User+"@"+stage.Debian+":"+dir+"$ ", line, says(s.Client(ctx, "sh", "-c", "cd "+dir+" && "+line)), began)
}

// mount tells what becomes of directories that are mounted into a Windows container. There is no engine for those
// here: a recorder says that it is one, behind a bridge of its own.
func mount(ctx context.Context, s *stage.Stage, add adder) (err error) {
	const name = "recorder"
	r, err := recorder.Start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := errors.Join(s.Front(ctx, map[string]string{name: r.Addr}), os.Mkdir(filepath.Join(s.Wine.DriveC(), "src"), 0o755)); err != nil {
		return err
	}
	began := time.Now()
	args := []string{"up", "--pipe", name, "--context", name, "--socket", "/run/docker-wsl-bridge/" + name + ".sock"}
	console, err := s.Wine.Console(s.Windows(context.WithoutCancel(ctx), args...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, console.Interrupt(), end(console)) }()
	if err := console.Await(ctx, "Ctrl-C ends the bridge."); err != nil {
		return err
	}
	add(windows, "docker-wsl-bridge "+strings.Join(args, " "), matching(console.Output(), "for windows containers"), began)
	add("# ", "there is no Windows engine here: this one says that it is one, records what it is asked, and runs nothing", "", time.Now())
	if err := s.ShowDriveC(ctx); err != nil {
		return err
	}
	shell(ctx, s, add, "/mnt/c/src", `docker --context recorder create -v "$PWD:C:/src" nanoserver`)
	asked, err := r.Mounts()
	if err != nil {
		return err
	}
	add("# ", "recorded: -v "+strings.Join(asked, " "), "", time.Now())
	shell(ctx, s, add, "~", `docker --context recorder create -v "$PWD:C:/src" nanoserver`)
	return nil
}

// says is all that a program says, whatever comes of it.
func says(cmd *exec.Cmd) string {
	out, _ := cmd.CombinedOutput() // what failed is part of the story
	return string(out)
}

// matching are the lines with one of some words.
func matching(text string, words ...string) string {
	var found strings.Builder
	for line := range strings.Lines(text) {
		for _, word := range words {
			if strings.Contains(line, word) {
				found.WriteString(line)
				break
			}
		}
	}
	return found.String()
}

// drawn is the picture: each step appears when it did, with the pauses that are added.
func drawn(steps []step) []byte {
	var screens [][]picture.Line
	rows := 0
	for _, s := range steps {
		terminal := picture.NewTerminal(storyColumns, 60)
		fmt.Fprintf(terminal, "\x1b[32m%s\x1b[m\x1b[1m%s\x1b[m\r\n", s.prompt, s.line)
		if s.said != "" {
			fmt.Fprintf(terminal, "%s\r\n", strings.ReplaceAll(s.said, "\n", "\r\n"))
		}
		screens = append(screens, terminal.Lines())
		rows += len(terminal.Lines()) + 1
	}
	var b bytes.Buffer
	width, height := picture.Size(storyColumns, rows)
	picture.Window(&b, width, height, "docker-wsl-bridge, from up to Ctrl-C")
	b.WriteString("<style>.step{animation:step .01s linear both}@keyframes step{from{opacity:0}to{opacity:1}}</style>\n")
	at, row := time.Duration(0), 0
	for i, lines := range screens {
		at += min(steps[i].took, maxStep)
		_, top := picture.Size(storyColumns, row)
		_, zero := picture.Size(storyColumns, 0)
		fmt.Fprintf(&b, `<g class="step" style="animation-delay:%.1fs" transform="translate(0 %.0f)">`+"\n", at.Seconds(), top-zero)
		picture.Screen(&b, lines)
		b.WriteString("</g>\n")
		at += readTime
		row += len(lines) + 1
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
