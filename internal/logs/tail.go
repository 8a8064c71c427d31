package logs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/files"
)

const (
	// lookEvery is how often a reader that follows looks for more. A person does not notice.
	lookEvery = 200 * time.Millisecond
	// maxLine is where a line without an end is cut.
	maxLine = 64 << 10
)

// PrintTail gives the last lines of a log, without their ends, and with follow those that come until ctx
// ends, which is no error. The error is fs.ErrNotExist if there is no log.
func PrintTail(ctx context.Context, path string, lines int, follow bool, emit func(line string) error) error {
	if err := printTail(ctx, path, lines, follow, emit); err != nil {
		return fmt.Errorf("read log %s: %w", path, err)
	}
	return nil
}

func printTail(ctx context.Context, path string, lines int, follow bool, emit func(string) error) error {
	r := &reader{path: path}
	defer r.closeOpenPiece()
	var last []string
	err := r.eachLine(func(line string) error {
		if last = append(last, line); len(last) > lines {
			last = last[1:]
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, line := range last {
		if err := emit(line); err != nil {
			return err
		}
	}
	for follow {
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return nil
		}
		if err := r.eachLine(emit); err != nil {
			return err
		}
	}
	return nil
}

// reader goes through the files of a log, oldest first.
type reader struct {
	path string
	f    *os.File // nil: between two files
	rest []byte   // of a line whose end has not come
}

func (r *reader) closeOpenPiece() {
	if r.f != nil {
		_ = r.f.Close()
		r.f = nil
	}
}

// eachLine gives all whole lines that there are by now.
func (r *reader) eachLine(emit func(string) error) error {
	for {
		if r.f == nil {
			if err := r.openOldest(); err != nil {
				return err
			}
		}
		// Where the file stands is asked before it is read to its end: once it was moved on it
		// gets no more lines.
		at := r.pieceIndex()
		if err := r.readLines(emit); err != nil {
			return err
		}
		if !r.nextPiece(at) {
			return nil
		}
	}
}

// nextPiece goes from the file that stands at a place, and has been read, to the one after it. It is
// false if there is none yet.
func (r *reader) nextPiece(at int) bool {
	switch {
	case at == 0:
		return false
	case at < 0: // moved on beyond the last one: what is oldest now is newer
		r.closeOpenPiece()
		return true
	}
	next, err := files.OpenShared(pieceName(r.path, at-1))
	if err != nil {
		return false // the writer is about to make it
	}
	if r.pieceIndex() != at { // all were moved on meanwhile, and next may be one too far
		_ = next.Close()
		return true
	}
	r.closeOpenPiece()
	r.f = next
	return true
}

func (r *reader) openOldest() error {
	for i := pieces - 1; i > 0; i-- {
		if f, err := files.OpenShared(pieceName(r.path, i)); err == nil {
			r.f = f
			return nil
		}
	}
	f, err := files.OpenShared(r.path)
	if err == nil {
		r.f = f
	}
	return err
}

// pieceIndex is which of the files the open one is now, -1 for none.
func (r *reader) pieceIndex() int {
	own, err := r.f.Stat()
	if err != nil {
		return -1
	}
	for i := range pieces {
		if info, err := os.Stat(pieceName(r.path, i)); err == nil && os.SameFile(own, info) {
			return i
		}
	}
	return -1
}

func (r *reader) readLines(emit func(string) error) error {
	b := make([]byte, 32<<10)
	for {
		n, err := r.f.Read(b)
		for rest := b[:n]; len(rest) > 0; {
			end := bytes.IndexByte(rest, '\n') + 1
			whole := end > 0
			if !whole {
				end = len(rest)
			}
			r.rest, rest = append(r.rest, rest[:end]...), rest[end:]
			if !whole && len(r.rest) < maxLine {
				continue
			}
			line := string(bytes.TrimRight(r.rest, "\r\n"))
			r.rest = r.rest[:0]
			if err := emit(line); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
