package dockerapi

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestIsRead(t *testing.T) {
	for head, want := range map[string]bool{
		"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n":                          true,
		"HEAD /_ping HTTP/1.1\r\nHost: x\r\n\r\n":                         true,
		"GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\n\r\n":                 false, // the second may run
		"GET /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n":                    true,
		"GET /a HTTP/1.1\r\ncontent-length : 5\r\n\r\nhello":              false,
		"GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n":           false,
		"GET /a/attach/ws HTTP/1.1\r\nUPGRADE: websocket\r\n\r\n":         false,
		"GET /a HTTP/1.1\r\nHost: x\r\n":                                  false, // not whole
		"GET /a HTTP/2.0\r\n\r\n":                                         false,
		"GET /a\r\n\r\n":                                                  false,
		"POST /containers/create HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}": false,
		"DELETE /containers/x HTTP/1.1\r\n\r\n":                           false,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                                false,
		"get /a HTTP/1.1\r\n\r\n":                                         false,
		"GET /a HTTP/1.1\r\nX: y\nContent-Length: 5\r\n\r\nhello":         false,
		"":                  false,
		" HTTP/1.1\r\n\r\n": false,
		"GETGETGETGETGETGETGETGETGET /a HTTP/1.1\r\n\r\n": false,
		strings.Repeat("G", 1000):                         false,
	} {
		if got := IsRead([]byte(head)); got != want {
			t.Errorf("%q: %v, want %v", head, got, want)
		}
	}
}

// The answer is what net/http and so the docker command make of it.
func TestUnavailable(t *testing.T) {
	const message = "engine \"x\" is down\nhint: start it"
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		request, err := http.NewRequest(method, "http://docker/info", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer := bufio.NewReader(bytes.NewReader(UnavailableAnswer([]byte(method+" /info HTTP/1.1\r\n\r\n"), message)))
		response, err := http.ReadResponse(answer, request)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusServiceUnavailable || !response.Close {
			t.Errorf("%s: %+v", method, response)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		var said struct{ Message string }
		if method == http.MethodHead {
			if len(body) > 0 {
				t.Errorf("HEAD has the body %q", body)
			}
		} else if err := json.Unmarshal(body, &said); err != nil || said.Message != message {
			t.Errorf("%s: %q, %v", method, body, err)
		}
		if _, err := answer.ReadByte(); err != io.EOF {
			t.Errorf("%s: more behind the answer", method)
		}
	}
}

func FuzzHead(f *testing.F) {
	f.Add([]byte("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("HEAD / HTTP/1.0\r\n\r\n"))
	f.Add([]byte("POST /x HTTP/1.1\r\nUpgrade: tcp\r\n\r\n\x00\xff"))
	f.Add([]byte("GET / HTTP/1.1\r\ncontent-length:1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if IsRead(b) {
			request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
			if err != nil {
				return // an engine refuses it, which changes nothing
			}
			if request.Method != http.MethodGet && request.Method != http.MethodHead || request.ContentLength > 0 {
				t.Errorf("%q is no read: %s with %d bytes", b, request.Method, request.ContentLength)
			}
		}
		if answer := UnavailableAnswer(b, "x"); len(answer) > 300 {
			t.Errorf("answer of %d bytes", len(answer))
		}
	})
}
