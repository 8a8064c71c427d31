package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
)

// restTime is how long streams are left alone before they count as idle.
const restTime = 5 * time.Second

// hold opens o.n streams, has each carry load.HoldBytes each way, lets them rest, says "held"
// and keeps them until its stdin ends.
func hold(o options, r *load.Result) error {
	for range o.n {
		c, _, in, err := o.talk(http.MethodPost, "/hold", http.StatusSwitchingProtocols)
		if err == nil {
			defer c.Close()
			if err = load.Send(c, load.HoldBytes); err == nil {
				_, err = load.Check(in, load.HoldBytes)
			}
		}
		if err != nil {
			r.Fail(err)
			continue
		}
		_ = c.SetDeadline(time.Time{})
		r.Count++
	}
	time.Sleep(restTime)
	fmt.Println("held")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// relay starts the program that is named, sends it o.n bytes and reads as many: the
// way of a carrier with nothing of ours on it. The path says which direction is
// measured: /both wants its own bytes back, /out any bytes, /in an answer at the end.
func relay(o options, r *load.Result) error {
	if len(o.argv) == 0 {
		return errors.New("no program is named")
	}
	cmd := exec.Command(o.argv[0], o.argv[1:]...)
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		return err
	}
	// A word each way first: the start is not what is measured.
	err := relayed(o, in, out, r)
	if err != nil {
		_ = cmd.Process.Kill()
	}
	return errors.Join(err, in.Close(), cmd.Wait())
}

func relayed(o options, in io.WriteCloser, out io.Reader, r *load.Result) error {
	word := make([]byte, 1)
	if _, err := in.Write([]byte("\n")); err != nil {
		return err
	}
	if _, err := io.ReadFull(out, word); err != nil {
		return err
	}
	if o.path == "/trip" {
		o.timed(r, func() error {
			if _, err := in.Write(word); err != nil {
				return err
			}
			_, err := io.ReadFull(out, word)
			return err
		})
		return nil
	}
	began := time.Now()
	sent := make(chan error, 1)
	go func() {
		if o.path == "/out" {
			sent <- nil
			return
		}
		sent <- load.Send(in, o.n)
	}()
	good, err := int64(0), error(nil)
	switch o.path {
	case "/both":
		good, err = load.Check(out, o.n)
	case "/out":
		good, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{io.LimitReader(out, o.n)}, make([]byte, 64<<10))
	case "/in":
		if _, err = io.ReadFull(out, word); err == nil {
			good = o.n
		}
	}
	r.Seconds = time.Since(began).Seconds()
	return errors.Join(o.lost(r, good, err), <-sent)
}
