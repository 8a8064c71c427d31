package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
)

// answerTime bounds a request.
const answerTime = 20 * time.Second

// ask makes one request on a connection and wants its answer to be whole.
func ask(c halfConn, in *bufio.Reader, path string) ([]byte, error) {
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: docker\r\n\r\n"); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	case path == "/_ping" && string(said) != "OK":
		return nil, fmt.Errorf("an answer of %d bytes that is not OK", len(said))
	}
	return said, nil
}

// once asks on a connection of its own.
func (o options) once() error {
	c, err := o.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = ask(c, bufio.NewReader(c), o.path)
	return err
}

// timed has f done again and again, and notes how long each took.
func (o options) timed(r *load.Result, f func() error) {
	for end := time.Now().Add(o.length); time.Now().Before(end); {
		began := time.Now()
		if err := f(); err != nil {
			r.Fail(err)
			continue
		}
		r.Count++
		r.Samples = append(r.Samples, float64(time.Since(began))/1e6)
	}
}

// ping asks on a new connection each time.
func ping(o options, r *load.Result) error {
	_ = o.once() // the first one finds everything cold
	o.timed(r, o.once)
	return nil
}

// kept asks on one connection.
func kept(o options, r *load.Result) error {
	c, err := o.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	if _, err := ask(c, in, o.path); err != nil {
		return err
	}
	o.timed(r, func() error { _, err := ask(c, in, o.path); return err })
	return nil
}

// storm is many that ask on new connections.
func storm(o options, r *load.Result) error {
	each := make([]load.Result, o.workers)
	var workers sync.WaitGroup
	began := time.Now()
	for i := range each {
		workers.Go(func() { o.timed(&each[i], o.once) })
	}
	workers.Wait()
	r.Seconds = time.Since(began).Seconds()
	for _, e := range each {
		r.Count += e.Count
		r.Errors += e.Errors
		r.Samples = append(r.Samples, e.Samples...)
		if r.Error == "" {
			r.Error = e.Error
		}
	}
	return nil
}

// burstWorkers is how many connections `docker compose ps` keeps busy.
const burstWorkers = 4

// burst is what `docker compose ps` asks, as it does: a ping and a list, and then
// the containers, several at once, on kept connections. All of it is one sample.
func burst(o options, r *load.Result) error {
	began := time.Now()
	if err := errorOf(burstWorkers, int(o.n), o); err != nil {
		return err
	}
	r.Count = 1
	r.Samples = []float64{float64(time.Since(began)) / 1e6}
	return nil
}

func errorOf(workers, requests int, o options) error {
	first, err := o.dial()
	if err != nil {
		return err
	}
	defer first.Close()
	in := bufio.NewReader(first)
	for _, path := range []string{"/_ping", "/containers/json?all=1"} {
		if _, err := ask(first, in, path); err != nil {
			return err
		}
	}
	left := make(chan bool, requests)
	for range requests - 2 {
		left <- true
	}
	close(left)
	failed := make(chan error, workers)
	for i := range workers {
		go func() {
			if i == 0 {
				failed <- o.drain(first, in, left)
				return
			}
			failed <- o.another(left)
		}()
	}
	for range workers {
		if e := <-failed; e != nil {
			err = e
		}
	}
	return err
}

func (o options) another(left <-chan bool) error {
	c, err := o.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	return o.drain(c, bufio.NewReader(c), left)
}

func (o options) drain(c halfConn, in *bufio.Reader, left <-chan bool) error {
	for range left {
		if _, err := ask(c, in, o.path); err != nil {
			return err
		}
	}
	return nil
}
