package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

const (
	// askTime bounds a question. An instance answers within a second or so.
	askTime = 5 * time.Second
	// reloadTime bounds a reload: links that go get a moment to leave.
	reloadTime = 30 * time.Second
	// cutPause is between two tries to reach one that is just ending.
	cutPause = 20 * time.Millisecond
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 256 << 10
)

// AskStatus asks the instance at an endpoint how it is. It takes 5 s at the most. The error is
// fs.ErrNotExist if none listens there.
func AskStatus(ctx context.Context, at endpoint.Endpoint) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answer, err := requestOK(ctx, at, http.MethodGet, statusPath)
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

// StopInstance asks the instance at an endpoint to end, and returns when it has ended or ctx ends. One
// that is not there has ended.
func StopInstance(ctx context.Context, at endpoint.Endpoint) error {
	answer, err := requestOK(ctx, at, http.MethodPost, stopPath)
	// It ends just now, or tells that others wait for that: another one finds nobody in the end.
	for (isConnectionCut(err) || errors.Is(err, errTooManyWait)) && ctx.Err() == nil {
		time.Sleep(cutPause)
		answer, err = requestOK(ctx, at, http.MethodPost, stopPath)
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("stop bridge: %w", context.Cause(ctx))
	case err != nil && isInstanceGone(err):
		return nil
	case err != nil:
		return fmt.Errorf("stop bridge: %w", err)
	}
	defer answer.Body.Close()
	// Its end is cut off, with the process.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	if ctx.Err() != nil {
		return fmt.Errorf("stop bridge: %w", context.Cause(ctx))
	}
	return nil
}

// isConnectionCut tells that the far side has closed the connection.
func isConnectionCut(err error) bool {
	return errors.Is(err, io.EOF) || slices.ContainsFunc(cuts, func(cut error) bool { return errors.Is(err, cut) })
}

// RefusedError is why a bridge has not done what it was asked, in its words.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return e.Text }

// ReloadInstance has the instance at an endpoint read its configuration again. An error of which it told
// is a *RefusedError, and has changed nothing.
func ReloadInstance(ctx context.Context, at endpoint.Endpoint) (done Reloaded, err error) {
	ctx, cancel := context.WithTimeout(ctx, reloadTime)
	defer cancel()
	answer, err := sendRequest(ctx, at, http.MethodPost, reloadPath)
	if err != nil {
		return done, fmt.Errorf("ask bridge: %w", err)
	}
	defer answer.Body.Close()
	body := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer))
	var told requestError
	switch {
	case answer.StatusCode == http.StatusOK:
		err = body.Decode(&done)
	case answer.StatusCode == http.StatusConflict && body.Decode(&told) == nil && told.Error != "":
		return done, &RefusedError{told.Error}
	case answer.StatusCode == http.StatusServiceUnavailable:
		return done, fmt.Errorf("ask bridge: %w", errTooManyWait)
	default:
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	if err != nil {
		return done, errors.New("ask bridge: it answered something else")
	}
	return done, nil
}

// requestOK makes one request on a connection of its own, and wants it to succeed.
func requestOK(ctx context.Context, at endpoint.Endpoint, method, path string) (*http.Response, error) {
	answer, err := sendRequest(ctx, at, method, path)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusServiceUnavailable {
		answer.Body.Close()
		return nil, fmt.Errorf("%s %s: %w", method, path, errTooManyWait)
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("%s %s: status %d", method, path, answer.StatusCode)
	}
	return answer, nil
}

// sendRequest makes one on a connection of its own.
func sendRequest(ctx context.Context, at endpoint.Endpoint, method, path string) (*http.Response, error) {
	transport := &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return at.Dial(ctx) },
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHead,
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://control"+path, nil)
	if err != nil {
		return nil, err
	}
	return transport.RoundTrip(r)
}
