package main

import (
	"archive/tar"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
)

// bulkTime bounds everything that carries much.
const bulkTime = 60 * time.Second

// talk asks for something that is no plain answer.
func (o options) talk(method, path string, wants int) (halfConn, *http.Response, *bufio.Reader, error) {
	c, err := o.dial()
	if err != nil {
		return nil, nil, nil, err
	}
	in := bufio.NewReaderSize(c, 1024)
	_ = c.SetDeadline(time.Now().Add(bulkTime)) // what it lacks shows as a hang
	head := method + " " + path + " HTTP/1.1\r\nHost: docker\r\n"
	if method == http.MethodPost {
		head += "Connection: Upgrade\r\nUpgrade: tcp\r\n"
	}
	if _, err = io.WriteString(c, head+"\r\n"); err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(in, nil); err == nil && resp.StatusCode != wants {
			err = fmt.Errorf("status %d", resp.StatusCode)
		}
		if err == nil {
			return c, resp, in, nil
		}
	}
	return nil, nil, nil, errors.Join(err, c.Close())
}

// down, up, both and late carry o.n bytes, or tell how many were lost.

func down(o options, r *load.Result) error {
	c, resp, _, err := o.talk(http.MethodGet, fmt.Sprintf("/down?n=%d", o.n), http.StatusOK)
	if err != nil {
		return o.lost(r, 0, err)
	}
	defer c.Close()
	began := time.Now()
	good, err := load.Check(resp.Body, o.n)
	r.Seconds = time.Since(began).Seconds()
	return o.lost(r, good, err)
}

// lost notes how much of n bytes came, once.
func (o options) lost(r *load.Result, good int64, err error) error {
	r.Bytes += good
	r.Lost += o.n - good
	return err
}

func up(o options, r *load.Result) error {
	c, _, in, err := o.talk(http.MethodPost, fmt.Sprintf("/up?n=%d", o.n), http.StatusSwitchingProtocols)
	if err != nil {
		return o.lost(r, 0, err)
	}
	defer c.Close()
	began := time.Now()
	sent := load.Send(c, o.n)
	good, err := verdict(in)
	r.Seconds = time.Since(began).Seconds()
	return o.lost(r, good, errors.Join(sent, err))
}

// verdict is how many bytes the engine took for right.
func verdict(in io.Reader) (good int64, err error) {
	if err = binary.Read(in, binary.BigEndian, &good); err != nil {
		err = fmt.Errorf("read the engine's count: %w", err)
	}
	return good, err
}

func both(o options, r *load.Result) error {
	c, _, in, err := o.talk(http.MethodPost, fmt.Sprintf("/both?n=%d", o.n), http.StatusSwitchingProtocols)
	if err != nil {
		return errors.Join(o.lost(r, 0, err), o.lost(r, 0, nil))
	}
	defer c.Close()
	began := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- load.Send(c, o.n) }()
	good, err := load.Check(in, o.n)
	if err != nil {
		_ = c.Close() // or the other direction may go on
	}
	err = errors.Join(err, <-sent)
	taken := int64(0)
	if err == nil {
		taken, err = verdict(in)
	}
	r.Seconds = time.Since(began).Seconds()
	return errors.Join(o.lost(r, good, err), o.lost(r, taken, nil))
}

func late(o options, r *load.Result) error {
	c, _, in, err := o.talk(http.MethodPost, fmt.Sprintf("/late?n=%d", o.n), http.StatusSwitchingProtocols)
	if err != nil {
		return o.lost(r, 0, err)
	}
	defer c.Close()
	began := time.Now()
	if _, err := io.WriteString(c, "all there is"); err != nil {
		return o.lost(r, 0, err)
	}
	if err := c.CloseWrite(); err != nil {
		return o.lost(r, 0, err)
	}
	good, err := load.Check(in, o.n)
	r.Samples = []float64{float64(time.Since(began)-load.LateBy) / 1e6}
	r.Count = 1
	return o.lost(r, good, err)
}

// besideBytes are what each of the bulk downloads beside a ping asks for: more
// than it gets.
const besideBytes = 1 << 40

// beside asks on new connections while o.workers downloads run.
func beside(o options, r *load.Result) error {
	var downloads sync.WaitGroup
	defer downloads.Wait()
	var bodies []halfConn
	defer func() {
		for _, c := range bodies {
			_ = c.Close()
		}
	}()
	started := make(chan error, o.workers)
	for range o.workers {
		c, resp, _, err := o.talk(http.MethodGet, fmt.Sprintf("/down?n=%d", int64(besideBytes)), http.StatusOK)
		if err != nil {
			return err
		}
		bodies = append(bodies, c)
		downloads.Go(func() {
			_, err := load.Check(resp.Body, 1<<20)
			started <- err
			_, _ = load.Check(resp.Body, besideBytes) // its end is ours
		})
	}
	for range o.workers {
		if err := <-started; err != nil {
			return err
		}
	}
	o.timed(r, o.once)
	return nil
}

// archive asks for a tar with one file and sums its content up.
func archive(o options, r *load.Result) error {
	c, resp, _, err := o.talk(http.MethodGet, o.path, http.StatusOK)
	if err != nil {
		return o.lost(r, 0, err)
	}
	defer c.Close()
	began := time.Now()
	files := tar.NewReader(resp.Body)
	if _, err := files.Next(); err != nil {
		return o.lost(r, 0, err)
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	good, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{files}, make([]byte, 64<<10))
	r.Seconds, r.Sum = time.Since(began).Seconds(), sum.Sum32()
	return o.lost(r, good, err)
}
