package control

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxHead and maxBody bound a request; ours have no body.
	maxHead = 8 << 10
	maxBody = 1 << 10
	// requestTime bounds the reading of one, and how long a connection may idle.
	requestTime = 5 * time.Second
	// maxConns are served at once; what comes beyond waits.
	maxConns = 16
)

// Handler is what an instance answers with.
type Handler struct {
	// Status tells how it is, within a second or so. It is called by many at once.
	Status func(context.Context) Status
	// Traffic tells what it carries, within a second or so; likewise.
	Traffic func(context.Context) Traffic
	// Stop has it end, as Ctrl-C does, and does not wait for that.
	Stop func()
	// Drain has it end as Stop does, when its connections have come to their end or so much time has passed.
	Drain func(within time.Duration)
	// Drained tells, once it has ended, how many it has cut since Drain.
	Drained func() int64
	// Reload has it read its configuration again. It is nil where there is none. An error
	// has changed nothing.
	Reload func(context.Context) (Reloaded, error)
}

type reloadError struct {
	Error string `json:"error"`
}

// server serves until close, which ends all its connections.
type server struct {
	http   *http.Server
	serve  sync.WaitGroup
	ending chan struct{} // closed when the instance is at its end

	mu    sync.Mutex
	ended bool
	last  sync.WaitGroup // who has something to say then; none comes once it has ended
}

func newServer(l net.Listener, h Handler) *server {
	s := &server{ending: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+statusPath, func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, h.Status(r.Context()))
	})
	mux.HandleFunc("GET "+streamsPath, func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, h.Traffic(r.Context()))
	})
	mux.HandleFunc("GET "+metricsPath, h.metrics)
	mux.HandleFunc("POST "+stopPath, func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]bool{"stopping": true})
		_ = http.NewResponseController(w).Flush()
		h.Stop()
		// The answer ends with the instance, which whoever asked can wait for.
		<-r.Context().Done()
	})
	mux.HandleFunc("POST "+drainPath, func(w http.ResponseWriter, r *http.Request) { s.drain(w, r, h) })
	mux.HandleFunc("POST "+reloadPath, func(w http.ResponseWriter, r *http.Request) {
		if h.Reload == nil {
			answer(w, http.StatusConflict, reloadError{"it serves no configuration"})
			return
		}
		done, err := h.Reload(r.Context())
		if err != nil {
			answer(w, http.StatusConflict, reloadError{err.Error()})
			return
		}
		answer(w, http.StatusOK, done)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, map[string]string{"error": "there is GET " + statusPath + ", " + streamsPath + " and " + metricsPath + ", POST " + stopPath + ", " + drainPath + " and " + reloadPath})
	})
	s.http = &http.Server{
		Handler:        http.MaxBytesHandler(mux, maxBody),
		ReadTimeout:    requestTime,
		IdleTimeout:    requestTime,
		MaxHeaderBytes: maxHead,
		ErrorLog:       log.New(io.Discard, "", 0), // what a client did wrong is his affair
	}
	s.serve.Go(func() { _ = s.http.Serve(&limited{l, make(chan struct{}, maxConns)}) })
	return s
}

func (s *server) close() error {
	s.mu.Lock()
	if !s.ended {
		s.ended = true
		close(s.ending)
	}
	s.mu.Unlock()
	s.last.Wait()
	err := s.http.Close()
	s.serve.Wait()
	return err
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // whoever does not listen any more misses it
}

// limited accepts while there is room.
type limited struct {
	net.Listener
	room chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	l.room <- struct{}{}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	return &counted{conn, sync.OnceFunc(func() { <-l.room })}, nil
}

type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	err := c.Conn.Close()
	c.leave()
	return err
}
