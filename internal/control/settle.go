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

// maxSettle bounds a wait.
const maxSettle = time.Minute

// serveSettled answers when the link serves or it is known why it does not, or when the time is over.
func (s *server) serveSettled(w http.ResponseWriter, r *http.Request, h Handler) {
	within, err := strconv.ParseFloat(r.URL.Query().Get("timeoutSeconds"), 64)
	if err != nil || !(within >= 0 && within <= maxSettle.Seconds()) {
		writeJSON(w, http.StatusBadRequest, requestError{"timeoutSeconds is a number from 0 to 60"})
		return
	}
	if h.Settled == nil {
		writeJSON(w, http.StatusOK, h.Status(r.Context()))
		return
	}
	leave, entered := s.settles.tryEnterWaiter(r)
	if !entered {
		writeJSON(w, http.StatusServiceUnavailable, requestError{errTooManyWait.Error()})
		return
	}
	defer leave()
	if !readToEnd(r) {
		writeJSON(w, http.StatusBadRequest, requestError{"the request has no end"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(within*float64(time.Second)))
	defer cancel()
	writeJSON(w, http.StatusOK, h.Settled(ctx))
}

// AwaitSettled waits until the link of the instance at an endpoint is served or it is known why it is not, for so
// long at the most. Of the status that it gives nothing was asked for: neither the agent nor the engine.
func AwaitSettled(ctx context.Context, at endpoint.Endpoint, within time.Duration) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, within+askTime)
	defer cancel()
	query := url.Values{"timeoutSeconds": {strconv.FormatFloat(within.Seconds(), 'f', -1, 64)}}
	answer, err := requestOK(ctx, at, http.MethodGet, settledPath+"?"+query.Encode())
	if err != nil {
		return Status{}, fmt.Errorf("ask bridge: %w", err)
	}
	defer answer.Body.Close()
	var s Status
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&s); err != nil || s.PID == 0 {
		return Status{}, errors.New("ask bridge: it answered something else")
	}
	return s, nil
}

// ListSettled waits for all instances of this user as AwaitSettled does, at once. One that does not know how
// to wait, of another version, is asked as List does.
func ListSettled(ctx context.Context, dir string, within time.Duration) ([]Found, error) {
	return listInstances(ctx, dir, func(ctx context.Context, f *Found) (pid int, err error) {
		f.Status, err = AwaitSettled(ctx, f.At, within)
		if err != nil && !isInstanceGone(err) {
			f.Status, err = AskStatus(ctx, f.At)
		}
		return f.Status.PID, err
	})
}
