package control

import (
	"context"
	"encoding/json"
	"errors"
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
)

// Handler is what an instance answers with.
type Handler struct {
	// Status tells how it is, within a second or so. It is called by many at once.
	Status func(context.Context) Status
	// Settled tells how it is without asking anybody, as soon as the link serves or it is known why it does not, or
	// when the context ends. It is nil where that is known from the start: then Status answers.
	Settled func(context.Context) Status
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

type requestError struct {
	Error string `json:"error"`
}

// server serves until close, which ends all its connections.
type server struct {
	http   *http.Server
	serve  sync.WaitGroup
	ending chan struct{} // closed when the instance is at its end

	// Of each kind apart: reloads that wait keep no drain out, nor drains a stop.
	stops, drains, reloads, settles waiters

	mu    sync.Mutex
	ended bool
	last  sync.WaitGroup // who has something to say then; none comes once it has ended
}

func newServer(l net.Listener, h Handler) *server {
	s := &server{ending: make(chan struct{}), stops: newWaiters(), drains: newWaiters(), reloads: newWaiters(), settles: newWaiters()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+statusPath, func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, h.Status(r.Context()))
	})
	mux.HandleFunc("GET "+settledPath, func(w http.ResponseWriter, r *http.Request) { s.serveSettled(w, r, h) })
	mux.HandleFunc("GET "+streamsPath, func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, h.Traffic(r.Context()))
	})
	mux.HandleFunc("GET "+metricsPath, h.serveMetrics)
	mux.HandleFunc("POST "+stopPath, func(w http.ResponseWriter, r *http.Request) { s.serveStop(w, r, h) })
	mux.HandleFunc("POST "+drainPath, func(w http.ResponseWriter, r *http.Request) { s.serveDrain(w, r, h) })
	mux.HandleFunc("POST "+reloadPath, func(w http.ResponseWriter, r *http.Request) { s.serveReload(w, r, h) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, requestError{"there is GET " + statusPath + ", " + settledPath + ", " + streamsPath + " and " + metricsPath + ", POST " + stopPath + ", " + drainPath + " and " + reloadPath})
	})
	s.http = &http.Server{
		Handler:        observeRequests(http.MaxBytesHandler(mux, maxBody)),
		ConnContext:    connContext,
		ReadTimeout:    requestTime,
		IdleTimeout:    requestTime,
		MaxHeaderBytes: maxHead,
		ErrorLog:       log.New(io.Discard, "", 0), // what a client did wrong is his affair
	}
	s.serve.Go(func() { _ = s.http.Serve(&conns{Listener: l}) })
	return s
}

func (s *server) closeAll() error {
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

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // whoever does not listen any more misses it
}

// waiters counts requests of a kind that wait for what they have asked for.
type waiters chan struct{}

func newWaiters() waiters { return make(waiters, maxWaits) }

var errTooManyWait = errors.New("too many wait for that already")

// tryEnterWaiter has a request wait, whose connection then takes the place of no other, until leave; false: too
// many do. With what is left of its body unread nobody would notice that its client leaves.
func (q waiters) tryEnterWaiter(r *http.Request) (leave func(), entered bool) {
	select {
	case q <- struct{}{}:
	default:
		return nil, false
	}
	setActivity(r, waiting)
	return func() { setActivity(r, answering); <-q }, true
}

// readToEnd tells whether all of a request has come.
func readToEnd(r *http.Request) bool {
	_, err := io.Copy(io.Discard, r.Body)
	return err == nil
}

// serveStop always has the instance end. The answer ends with it, which whoever asked can wait for, if not too
// many do.
func (s *server) serveStop(w http.ResponseWriter, r *http.Request, h Handler) {
	leave, entered := s.stops.tryEnterWaiter(r)
	if !entered {
		h.Stop()
		writeJSON(w, http.StatusServiceUnavailable, requestError{"it stops; " + errTooManyWait.Error()})
		return
	}
	defer leave()
	writeJSON(w, http.StatusOK, map[string]bool{"stopping": true})
	_ = http.NewResponseController(w).Flush()
	h.Stop()
	if readToEnd(r) {
		<-r.Context().Done()
	}
}

func (s *server) serveReload(w http.ResponseWriter, r *http.Request, h Handler) {
	if h.Reload == nil {
		writeJSON(w, http.StatusConflict, requestError{"it serves no configuration"})
		return
	}
	leave, entered := s.reloads.tryEnterWaiter(r)
	if !entered {
		writeJSON(w, http.StatusServiceUnavailable, requestError{errTooManyWait.Error()})
		return
	}
	defer leave()
	if !readToEnd(r) {
		writeJSON(w, http.StatusBadRequest, requestError{"the request has no end"})
		return
	}
	done, err := h.Reload(r.Context())
	if err != nil {
		writeJSON(w, http.StatusConflict, requestError{err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, done)
}
