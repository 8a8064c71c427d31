package dockerapi

import (
	"regexp"
	"strings"
	"testing"
)

func TestCall(t *testing.T) {
	for line, want := range map[string]string{
		"POST /v1.47/build?buildargs=secret&t=x HTTP/1.1":    "POST /build",
		"GET /_ping HTTP/1.1":                                "GET /_ping",
		"HEAD /_ping HTTP/1.0":                               "HEAD /_ping",
		"GET /v1.41/containers/json?all=1 HTTP/1.1":          "GET /containers/json",
		"POST /v1.41/containers/create?name=secret HTTP/1.1": "POST /containers/create",
		"GET /v1.41/containers/secret/logs HTTP/1.1":         "logs",
		"GET /containers/secret/json HTTP/1.1":               "GET /containers/*/json",
		"POST /exec/0123abc/start HTTP/1.1":                  "exec",
		"POST /containers/secret/attach?logs=1 HTTP/1.1":     "attach",
		"POST /images/secret.example/a/b/push HTTP/1.1":      "POST /images/*/push",
		"DELETE /images/secret HTTP/1.1":                     "DELETE /images/*",
		"GET http://secret@host/v1.41/info HTTP/1.1":         "GET /info",
		"GET /secret/v1.41/info HTTP/1.1":                    "GET /*/info",
		"GET /a/json/b/json/c/json/d/json HTTP/1.1":          "GET /*/json/*/json/*",
		"PROPFIND /secret HTTP/1.1":                          "other",
		"GET / HTTP/1.1":                                     "GET /*",
		"GET /%73ecret HTTP/1.1":                             "GET /*",
		"SECRET":                                             "",
		"GET /half-a-line-of-secre":                          "",
		"get /_ping HTTP/1.1":                                "",
		"GET /_ping HTTP/2.0":                                "",
		"":                                                   "",
	} {
		for _, end := range []string{"", "\n", "\r\nAuthorization: secret\r\n\r\n"} {
			if got := CallOf([]byte(line + end)); got != want {
				t.Errorf("%q: %q, want %q", line+end, got, want)
			}
		}
	}
}

// Whatever a client says, what is told of it is short and made of the API's words.
func FuzzCall(f *testing.F) {
	f.Add([]byte("POST /v1.47/containers/x/attach?y HTTP/1.1\r\n"))
	f.Add([]byte("GET http://a/b/c/../json HTTP/1.0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		call := CallOf(b)
		if !regexp.MustCompile(`^([A-Z]+ /[a-z_*/]{0,80}|[a-z]*)$`).MatchString(call) {
			t.Fatalf("%q", call)
		}
		for _, part := range strings.FieldsFunc(call, func(r rune) bool { return r == '/' || r == ' ' })[min(1, len(call)):] {
			if call[0] >= 'A' && call[0] <= 'Z' && part != "*" && !words[part] {
				t.Fatalf("%q has %q", call, part)
			}
		}
	})
}

// Each request of a kept connection is told, also the last one, behind which it is no HTTP any more.
func TestRequestsTellWhatTheySee(t *testing.T) {
	var seen []string
	r := &Requests{
		Out: func([]byte) error { return nil }, Held: &Held{}, Answers: new(Answers),
		Edit: func(Creation, []byte) ([]byte, error) { return nil, nil },
		Seen: func(line []byte) { seen = append(seen, CallOf(line)) },
	}
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, c := range []struct{ said, answers string }{
		{"HEAD /_ping HTTP/1.1\r\n\r\nGET /v1.47/inf", ok},
		{"o HTTP/1.1\r\n\r\n", ok},
		{"POST /containers/create HTTP/1.1\r\nContent-Length: 4\r\n\r\n{}  GET /events HTTP/1.1\r\n\r\n", ok + ok},
		{"POST /exec/x/start HTTP/1.1\r\nUpgrade: tcp\r\n\r\n", "HTTP/1.1 101 UPGRADED\r\n\r\n"},
		{"GET /version HTTP/1.1\r\n\r\n", ""},
	} {
		if err := r.Write([]byte(c.said)); err != nil {
			t.Fatal(err)
		}
		for b := []byte(c.answers); len(b) > 0; {
			n, _ := r.Answers.NextMark(b)
			b = b[n:]
		}
		r.Answers.NotePassed()
	}
	if got := strings.Join(seen, ", "); got != "HEAD /_ping, GET /info, POST /containers/create, events, exec" {
		t.Errorf("seen: %s", got)
	}
}
