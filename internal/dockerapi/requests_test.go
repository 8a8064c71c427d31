package dockerapi

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

var errNo = errors.New("no")

// edit puts an exclamation mark behind, leaves what begins with "same", refuses what begins with "no".
func edit(_ Creation, body []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(body, []byte("same")):
		return nil, nil
	case bytes.HasPrefix(body, []byte("no")):
		return nil, errNo
	}
	return append(bytes.Clone(body), '!'), nil
}

// through gives what comes out of requests that come in pieces of a size.
func through(said string, size int) (out string, r *Requests, err error) {
	var b strings.Builder
	r = &Requests{Out: func(p []byte) error { b.Write(p); return nil }, Edit: edit, Unheld: func(Creation, error) error { return nil }, Held: new(Held)}
	for len(said) > 0 && err == nil {
		n := min(size, len(said))
		err = r.Write([]byte(said[:n]))
		said = said[n:]
	}
	if err == nil {
		err = r.EndRequests()
	}
	if err == nil {
		r.ForgetHeld()
	}
	return b.String(), r, err
}

const (
	post = "POST /v1.41/containers/create?name=x HTTP/1.1\r\nHost: docker\r\nX-Odd:  kept \r\n"
	ping = "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"
	// create is one that is changed, and created what it becomes.
	create  = post + "Content-Length: 1\r\n\r\na"
	created = post + "Content-Length: 2\r\n\r\na!"
)

// Whatever pieces the bytes come in, only the bodies of creations change.
func TestRequests(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct{ said, want string }{
		"length":             {post + "Content-Length: 3\r\nA: b\r\n\r\nabc", post + "Content-Length: 4\r\nA: b\r\n\r\nabc!"},
		"a head of LF alone": {"POST /containers/create HTTP/1.1\nCONTENT-LENGTH:3\n\nabc", "POST /containers/create HTTP/1.1\nContent-Length: 4\n\nabc!"},
		"a service":          {"POST /services/create HTTP/1.1\r\nContent-Length: 1\r\n\r\na", "POST /services/create HTTP/1.1\r\nContent-Length: 2\r\n\r\na!"},
		"chunks":             {post + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: r\r\n\r\n" + ping, post + "Transfer-Encoding: chunked\r\n\r\n4\r\nabc!\r\n0\r\nT: r\r\n\r\n" + ping},
		"chunks, the same":   {post + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nsa\r\n2\r\nme\r\n0\r\n\r\n" + ping, ""},
		"kept connection": {
			ping + "POST /build HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + long + create + ping + post + "Content-Length: 4\r\n\r\nsame" + ping,
			ping + "POST /build HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + long + created + ping + post + "Content-Length: 4\r\n\r\nsame" + ping,
		},
		"a body that looks like a request": {"PUT /x HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n" + fmt.Sprintf("%x\r\n", len(post)) + post + "\r\n0\r\n\r\n" + create,
			"PUT /x HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n" + fmt.Sprintf("%x\r\n", len(post)) + post + "\r\n0\r\n\r\n" + created},
		"another verb and place":               {"PUT /containers/create HTTP/1.1\r\nContent-Length: 1\r\n\r\naPOST /containers/create/x HTTP/1.1\r\nContent-Length: 1\r\n\r\na", ""},
		"no upgrade":                           {"POST /containers/x/exec HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + create, "POST /containers/x/exec HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + created},
		"two lengths":                          {post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab" + post, ""},
		"the same length twice":                {post + "Content-Length: 1\r\nContent-Length:  1 \r\n\r\na" + create, post + "Content-Length: 2\r\n\r\na!" + created},
		"length and chunks":                    {post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" + create, post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na!\r\n0\r\n\r\n" + created},
		"chunks of HTTP/1.0":                   {"POST /containers/create HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\na" + create, "POST /containers/create HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\na!" + created},
		"a wrong chunk":                        {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\na\r\n0\r\n\r\n", ""},
		"an end in the head":                   {post, ""},
		"an end in the body":                   {post + "Content-Length: 10\r\n\r\nabc", ""},
		"not HTTP":                             {"hello\r\n" + create, ""},
		"h2c":                                  {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + post, ""},
		"no body":                              {post + "Content-Length: 0\r\n\r\n" + ping, post + "Content-Length: 1\r\n\r\n!" + ping},
		"no length":                            {post + "\r\n" + ping, post + "Content-Length: 1\r\n\r\n!" + ping},
		"a folded length":                      {post + "Content-Length:\r\n 1\r\n\t\r\nA: b\r\n\r\na" + ping, post + "Content-Length: 2\r\nA: b\r\n\r\na!" + ping},
		"a folded other head":                  {"GET /x HTTP/1.1\r\nA: b\r\n c\r\nContent-Length:\r\n\t1\r\n\r\na" + create, "GET /x HTTP/1.1\r\nA: b\r\n c\r\nContent-Length:\r\n\t1\r\n\r\na" + created},
		"folded chunks":                        {"POST /x HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" + create, "POST /x HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" + created},
		"a long head":                          {"GET /x HTTP/1.1\r\nX: " + strings.Repeat("y", 300<<10) + "\r\n" + strings.Repeat("A: b\r\n", 10000) + "\r\n" + create, "GET /x HTTP/1.1\r\nX: " + strings.Repeat("y", 300<<10) + "\r\n" + strings.Repeat("A: b\r\n", 10000) + "\r\n" + created},
		"a long head, created":                 {"POST /containers/create?x=" + strings.Repeat("y", 100<<10) + " HTTP/1.1\r\nX: " + strings.Repeat("y", 200<<10) + "\r\nContent-Length: 1\r\n\r\na" + ping, "POST /containers/create?x=" + strings.Repeat("y", 100<<10) + " HTTP/1.1\r\nX: " + strings.Repeat("y", 200<<10) + "\r\nContent-Length: 2\r\n\r\na!" + ping},
		"UTF-8 in the query":                   {"GET /images/json?filter=\u00e4\u20ac HTTP/1.1\r\n\r\n" + create + "POST /containers/create?name=\u00e4 HTTP/1.1\r\nContent-Length: 1\r\n\r\na", "GET /images/json?filter=\u00e4\u20ac HTTP/1.1\r\n\r\n" + created + "POST /containers/create?name=\u00e4 HTTP/1.1\r\nContent-Length: 2\r\n\r\na!"},
		"empty lines":                          {"\r\n" + create + "\r\n" + create + "\n\r\n" + create, "\r\n" + created + "\r\n" + created + "\n\r\n" + created},
		"a method in small":                    {"post /containers/create HTTP/1.1\r\nContent-Length: 1\r\n\r\na" + create, "post /containers/create HTTP/1.1\r\nContent-Length: 1\r\n\r\na" + created},
		"another method":                       {"M-SEARCH * HTTP/1.1\r\nContent-Length: 1\r\n\r\na" + create, "M-SEARCH * HTTP/1.1\r\nContent-Length: 1\r\n\r\na" + created},
		"HTTP/1.7":                             {"GET / HTTP/1.7\r\n\r\nPOST /containers/create HTTP/1.2\r\nContent-Length: 1\r\n\r\na", "GET / HTTP/1.7\r\n\r\nPOST /containers/create HTTP/1.2\r\nContent-Length: 2\r\n\r\na!"},
		"a length of many zeros":               {"GET / HTTP/1.1\r\nContent-Length: " + strings.Repeat("0", 100) + "1\r\n\r\na" + create, "GET / HTTP/1.1\r\nContent-Length: " + strings.Repeat("0", 100) + "1\r\n\r\na" + created},
		"a field of a needed name's beginning": {"GET / HTTP/1.1\r\nContent-Length-Of-Something-That-Is-Longer-Than-All: 5\r\n\r\n" + create, "GET / HTTP/1.1\r\nContent-Length-Of-Something-That-Is-Longer-Than-All: 5\r\n\r\n" + created},
	} {
		want := c.want
		if want == "" {
			want = c.said
		}
		for _, size := range []int{1, 2, 3, 7, 64, 4096, 1 << 20} {
			if got, r, err := through(c.said, size); err != nil || got != want || r.Held.bytes.Load() != 0 {
				t.Fatalf("%s, in pieces of %d: %v, %d held\nis   %.300q\nwant %.300q", name, size, err, r.Held.bytes.Load(), got, want)
			}
		}
	}
}

// A request with paths is known in every form that an engine takes it in.
func TestCreationOf(t *testing.T) {
	for target, want := range map[string]Creation{
		"/containers/create":                              CreateContainer,
		"/v1.57/containers/create?name=a/b":               CreateContainer,
		"/containers/%63reate":                            CreateContainer,
		"/v1.41%2Fcontainers%2fcreate":                    CreateContainer,
		"http://localhost/v1.41/containers/create":        CreateContainer,
		"HTTP://docker:2375/containers/create?x":          CreateContainer,
		"unix:/containers/create":                         CreateContainer,
		"x://user:p%40w@host/%76%31.40/containers/create": CreateContainer,
		"//containers///create":                           CreateContainer,
		"/v1.41/./x/../containers/create":                 CreateContainer,
		"/services/create":                                CreateService,
		"/v1.41/services/web/update?version=7":            CreateService,
		"http://d/services/a%20b/%75pdate?version=7":      CreateService,
		"/services//update":                               "",
		"/containers/x/update":                            "",
		"/containers/create/x":                            "",
		"/containers?x=/containers/create":                "",
		"/nodes/services/update":                          "",
		"/volumes/create":                                 "",
		"/containers/%6":                                  "",
		"create":                                          "",
		"*":                                               "",
		"":                                                "",
	} {
		if got := creationOf("POST", target); got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
		if got := creationOf("GET", target); got != "" {
			t.Errorf("GET %s: %q", target, got)
		}
	}
}

// Only the answer tells that a connection is HTTP no more: what a request asks for may not be granted,
// and what it does not ask for may come.
func TestTheAnswerAloneChangesTheProtocol(t *testing.T) {
	const (
		ok       = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
		gone     = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"
		upgraded = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
		raw      = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
		upgrade  = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
	)
	for name, c := range map[string]struct {
		asked, answer string
		raw           bool
	}{
		"an exec that is detached":      {"POST /exec/x/start HTTP/1.1\r\nContent-Length: 15\r\n\r\n{\"Detach\":true}", ok, false},
		"an exec":                       {"POST /exec/x/start HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", raw, true},
		"an exec with an upgrade":       {"POST /exec/x/start HTTP/1.1\r\n" + upgrade + "Content-Length: 2\r\n\r\n{}", upgraded, true},
		"an attach to what is gone":     {"POST /v1.41/containers/x/attach?stream=1 HTTP/1.1\r\n" + upgrade + "\r\n", gone, false},
		"an attach":                     {"POST /v1.41/containers/x/attach?stream=1 HTTP/1.1\r\n\r\n", raw, true},
		"an upgrade that is no use":     {"GET /_ping HTTP/1.1\r\n" + upgrade + "\r\n", ok, false},
		"a session":                     {"POST /session HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", upgraded, true},
		"a session that is refused":     {"POST /session HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", gone, false},
		"a tunnel that is refused":      {"CONNECT a:1 HTTP/1.1\r\n\r\n", gone, false},
		"something unknown":             {"POST /future/call HTTP/1.1\r\n\r\n", upgraded, true},
		"HEAD and its length":           {"HEAD /containers/x/archive HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", false},
		"a word first, then no upgrade": {"POST /exec/x/start HTTP/1.1\r\n" + upgrade + "\r\n", "HTTP/1.1 100 Continue\r\n\r\n" + gone, false},
	} {
		for _, size := range []int{1, 20, 1 << 20} {
			for _, early := range []bool{false, true} { // what is behind the request, or comes behind the answer
				want := c.asked + ping + created + ping
				if c.raw {
					want = c.asked + ping + create + ping
				}
				if got, odd := answered(t, c.asked, c.answer, ping+create+ping, size, early); got != want || odd {
					t.Errorf("%s, in pieces of %d, early %v: odd %v\nis   %q\nwant %q", name, size, early, odd, got, want)
				}
			}
		}
	}
}

// answered gives what comes out of a connection whose first request has this answer, and whether what
// came was called no HTTP. What is early comes before the answer.
func answered(t *testing.T, asked, answer, behind string, size int, early bool) (got string, odd bool) {
	t.Helper()
	var out strings.Builder
	answers := new(Answers)
	say := func(s string) {
		for b := []byte(s); len(b) > 0; {
			n, mark := answers.NextMark(b)
			answers.NotePassed()
			if b = b[n:]; mark == HTTPEnds {
				return
			}
		}
	}
	heard := make(chan struct{})
	var hear sync.Once
	r := &Requests{
		Out: func(p []byte) error {
			out.Write(p)
			if out.Len() >= len(asked)+len(ping) {
				hear.Do(func() { close(heard) })
			}
			return nil
		},
		Edit: edit, Answers: answers, Held: new(Held),
		Odd: func() { odd = true },
	}
	write := func(s string) {
		for len(s) > 0 {
			n := min(size, len(s))
			if err := r.Write([]byte(s[:n])); err != nil {
				t.Fatal(err)
			}
			s = s[n:]
		}
	}
	var engine sync.WaitGroup
	write(asked)
	if !early {
		say(answer)
	}
	engine.Go(func() { // an engine that answers when it has heard what is behind as well
		<-heard
		if early {
			say(answer)
		}
		say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
	})
	write(behind)
	engine.Wait()
	say("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
	if err := r.EndRequests(); err != nil {
		t.Fatal(err)
	}
	r.ForgetHeld()
	return out.String(), odd
}

// What a client types behind an exec that is not answered yet reaches the engine at once, unless it may become
// a creation. It is none of what is warned of.
func TestTypedBeforeTheAnswer(t *testing.T) {
	const exec = "POST /exec/x/start HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
	for _, typed := range []string{"hello", "echo POST /containers/create HTTP/1.1\n", "\x00\x01\x02", "GET x\n", "G"} {
		var out strings.Builder
		odd := 0
		r := &Requests{Out: func(p []byte) error { out.Write(p); return nil }, Edit: edit, Answers: new(Answers), Held: new(Held), Odd: func() { odd++ }}
		if err := r.Write([]byte(exec + typed)); err != nil || out.String() != exec+typed {
			t.Fatalf("%q comes out as %q, %v", typed, out.String(), err)
		}
		r.Answers.NextMark([]byte("HTTP/1.1 101 UPGRADED\r\n\r\n"))
		r.Answers.NotePassed()
		if err := r.Write([]byte(create)); err != nil || r.EndRequests() != nil || out.String() != exec+typed+create || odd > 0 {
			t.Fatalf("%q, %v, told %d times", out.String(), err, odd)
		}
	}
	for end, want := range map[string]string{"HTTP/1.1 101 UPGRADED\r\n\r\n": "P", "": ""} {
		var out strings.Builder
		a := new(Answers)
		r := &Requests{Out: func(p []byte) error { out.Write(p); return nil }, Edit: edit, Answers: a, Held: new(Held)}
		if err := r.Write([]byte(exec)); err != nil {
			t.Fatal(err)
		}
		var engine sync.WaitGroup
		engine.Go(func() {
			a.NextMark([]byte(end))
			a.NotePassed()
			a.EndAnswers()
		})
		err := r.Write([]byte("P"))
		engine.Wait()
		if out.String() != exec+want || (err != nil) != (want == "") {
			t.Errorf("P comes out as %q, %v", strings.TrimPrefix(out.String(), exec), err)
		}
	}
}

// What is no HTTP passes, and that is told once, at the latest when the connection ends.
func TestOddIsToldOf(t *testing.T) {
	for _, said := range []string{
		"hello\r\n", "\x16\x03\x01", "GET /\r\n", "GET / HTTP/2.0\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "GE(T / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
	} {
		for _, before := range []string{"", ping} {
			for _, size := range []int{1, 1000} {
				told := 0
				var out strings.Builder
				a := new(Answers)
				r := &Requests{
					Out: func(p []byte) error { out.Write(p); return nil }, Edit: edit, Answers: a, Held: new(Held),
					Odd: func() { told++ }, Unheld: func(Creation, error) error { return nil },
				}
				if err := r.Write([]byte(before)); err != nil {
					t.Fatal(err)
				}
				a.NextMark([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
				a.NotePassed()
				for rest := said; len(rest) > 0; rest = rest[min(size, len(rest)):] {
					if err := r.Write([]byte(rest[:min(size, len(rest))])); err != nil {
						t.Fatal(err)
					}
				}
				r.ForgetHeld()
				r.ForgetHeld()
				if out.String() != before+said || told != 1 {
					t.Errorf("%q: %q, told %d times", said, out.String(), told)
				}
			}
		}
	}
}

// Half a request reaches the engine as soon as it can't become a creation: it may be answered.
func TestHalfARequestPassesAtOnce(t *testing.T) {
	for _, said := range []string{"G", "GET /_ping HTTP/1.1\r\n", "POST /build HTTP/1.1\r\nHost: ", "no HTTP", "POST", "POST /containers/create HTTP/1.1\r\nHost"} {
		var out bytes.Buffer
		r := &Requests{Out: func(p []byte) error { out.Write(p); return nil }, Edit: edit, Held: new(Held)}
		if err := r.Write([]byte(said)); err != nil {
			t.Fatal(err)
		}
		if want := !strings.HasPrefix(said, "POST /c") && said != "POST"; want && out.String() != said || !want && out.Len() > 0 {
			t.Errorf("of %q comes %q", said, out.String())
		}
		if err := r.EndRequests(); err != nil || out.String() != said {
			t.Errorf("%q comes out as %q, %v", said, out.String(), err)
		}
	}
}

// A client can say anything in any pieces: without a creation that is changed, all of it comes out.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(ping+post+"Content-Length: 4\r\n\r\nsame"+ping), 3)
	f.Add([]byte(post+"Transfer-Encoding: chunked\r\n\r\n4\r\nsame\r\n0\r\n\r\n"), 1)
	f.Add([]byte(post+"Transfer-Encoding: chunked\r\nExpect: x\r\n\r\n4\r\nsame\r\n0\r\n\r\nGET"), 9)
	f.Fuzz(func(t *testing.T, said []byte, size int) {
		if size < 1 || size > 1<<20 {
			return
		}
		held := new(Held)
		var out bytes.Buffer
		r := &Requests{
			Out:    func(p []byte) error { out.Write(p); return nil },
			Edit:   func(Creation, []byte) ([]byte, error) { return nil, nil },
			Unheld: func(Creation, error) error { return nil },
			Held:   held,
		}
		for p := said; len(p) > 0; p = p[min(len(p), size):] {
			if err := r.Write(p[:min(len(p), size)]); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.EndRequests(); err != nil || held.bytes.Load() != 0 {
			t.Fatalf("%v, %d held", err, held.bytes.Load())
		}
		if !bytes.Equal(out.Bytes(), said) {
			t.Fatalf("%q comes out as %q", said, out.Bytes())
		}
	})
}

// BenchmarkRequests is what the look at a connection costs by the byte.
func BenchmarkRequests(b *testing.B) {
	chunk := append(fmt.Appendf(nil, "%x\r\n", 32<<10), make([]byte, 32<<10+2)...)
	copy(chunk[len(chunk)-2:], "\r\n")
	r := &Requests{Out: func([]byte) error { return nil }, Held: new(Held)}
	if err := r.Write([]byte("POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if err := r.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}
