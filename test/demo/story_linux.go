package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/picture"
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
func tell(ctx context.Context, s *stage.Stage, add func(prompt, line, said string, began time.Time)) error {
	const windows, linux = `PS C:\> `, stage.User + "@" + stage.Debian + ":~$ "
	began := time.Now()
	console, err := s.Wine.Console(s.Windows(context.WithoutCancel(ctx), "up", "--pipe", stage.EnginePipe))
	if err != nil {
		return err
	}
	if err := console.Await(ctx, "Ctrl-C ends the bridge."); err != nil {
		return errors.Join(err, end(console))
	}
	add(windows, "docker-wsl-bridge up --pipe "+stage.EnginePipe, console.Output(), began)
	run := func(line string) {
		began := time.Now()
		add(linux, line, says(s.Client(ctx, "sh", "-c", line)), began)
	}
	run("docker context ls --format '{{.Name}}  {{.DockerEndpoint}}'")
	run("docker context use windows")
	run("docker run --rm --network none " + s.Docker.Image + " echo 'hello, through one wsl.exe'")
	run("seq 3 | docker run --rm -i --network none " + s.Docker.Image + " sh -c 'cat; sleep 1; echo the input has ended, the output goes on'")
	if err := s.Engine.Kill(); err != nil {
		return errors.Join(err, end(console))
	}
	add("# ", "the engine is ended", "", time.Now())
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
