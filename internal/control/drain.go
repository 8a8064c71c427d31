package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

const (
	// MaxDrain is what connections may be given.
	MaxDrain = 7 * 24 * time.Hour
	// lastTime bounds the last line of an answer, which nobody may be there to take.
	lastTime = time.Second
)

// drained is the last line of an answer to a drain.
type drained struct {
	Drained bool  `json:"drained"`
	Cut     int64 `json:"cut"` // connections
}

// serveDrain answers at once, and again when the instance is at its end.
func (s *server) serveDrain(w http.ResponseWriter, r *http.Request, h Handler) {
	seconds, err := strconv.ParseFloat(r.URL.Query().Get("timeoutSeconds"), 64)
	if err != nil || !(seconds >= 0 && seconds <= MaxDrain.Seconds()) {
		writeJSON(w, http.StatusBadRequest, requestError{"timeoutSeconds is a number from 0 to 604800"})
		return
	}
	leave, entered := s.drains.tryEnterWaiter(r)
	if !entered {
		writeJSON(w, http.StatusServiceUnavailable, requestError{errTooManyWait.Error()})
		return
	}
	defer leave()
	if !readToEnd(r) {
		writeJSON(w, http.StatusBadRequest, requestError{"the request has no end"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]bool{"draining": true})
	to := http.NewResponseController(w)
	_ = to.Flush()
	if !s.holdUntilEnd() {
		return // it ends anyway
	}
	defer s.last.Done()
	h.Drain(time.Duration(seconds * float64(time.Second)))
	select {
	case <-s.ending:
	case <-r.Context().Done():
		return
	}
	_ = to.SetWriteDeadline(time.Now().Add(lastTime))
	_ = json.NewEncoder(w).Encode(drained{true, h.Drained()}) // as in writeJSON
	_ = to.Flush()
}

// holdUntilEnd tells whether the end is still to come, which then waits for last.
func (s *server) holdUntilEnd() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.last.Add(1)
	}
	return !s.ended
}

// DrainInstance asks the instance at an endpoint to end when its connections have, or when so much time has
// passed, and returns when it has ended or ctx ends: how many connections it has cut. One that is
// not there has ended.
func DrainInstance(ctx context.Context, at endpoint.Endpoint, within time.Duration) (cut int64, err error) {
	query := url.Values{"timeoutSeconds": {strconv.FormatFloat(within.Seconds(), 'f', -1, 64)}}
	answer, err := requestOK(ctx, at, http.MethodPost, drainPath+"?"+query.Encode())
	switch {
	case ctx.Err() != nil:
		return 0, fmt.Errorf("drain bridge: %w", context.Cause(ctx))
	case err != nil && isInstanceGone(err):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("drain bridge: %w", err)
	}
	defer answer.Body.Close()
	lines := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer))
	var began struct{ Draining bool }
	var ended drained
	err = lines.Decode(&began)
	if err == nil {
		err = lines.Decode(&ended)
	}
	switch {
	case ctx.Err() != nil:
		return 0, fmt.Errorf("drain bridge: %w", context.Cause(ctx))
	case err != nil || !began.Draining || !ended.Drained:
		return 0, errors.New("drain bridge: it ended without a word: its connections may be cut")
	}
	return ended.Cut, nil
}
