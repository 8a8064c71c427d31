package paths

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// shape is where in a body the sources are. Keys are those that the engine's decoder takes for
// the field, which is any case (encoding/json), and of duplicates each.
type shape struct {
	fields map[string]*shape
	items  *shape // of an array
	bind   bool   // a text SOURCE:DESTINATION
	mount  bool   // an object with Type and Source
}

var (
	mounts = &shape{items: &shape{mount: true}}
	// ofContainer is the body of POST /containers/create.
	ofContainer = &shape{fields: map[string]*shape{"HostConfig": {fields: map[string]*shape{
		"Binds": {items: &shape{bind: true}}, "Mounts": mounts,
	}}}}
	// ofService is the body of POST /services/create and /services/ID/update.
	ofService = &shape{fields: map[string]*shape{"TaskTemplate": {fields: map[string]*shape{
		"ContainerSpec": {fields: map[string]*shape{"Mounts": mounts}},
	}}}}
)

// ErrNotJSON says that a body can't be read, by us or by an engine.
var ErrNotJSON = errors.New("translate body: it is no JSON")

// EditContainer gives the body of a request that creates a container with the
// sources of its bind mounts as they are on Windows, or nil if nothing is to be
// changed. The error is a *LinuxError, ErrNotJSON or the context's.
func (d Drives) EditContainer(ctx context.Context, body []byte) ([]byte, error) {
	return d.editRequestBody(ctx, ofContainer, body)
}

// EditService is the same for a service.
func (d Drives) EditService(ctx context.Context, body []byte) ([]byte, error) {
	return d.editRequestBody(ctx, ofService, body)
}

func (d Drives) editRequestBody(ctx context.Context, s *shape, body []byte) ([]byte, error) {
	var first json.RawMessage // the engine reads one value, too, and may mind what is behind
	switch err := json.NewDecoder(bytes.NewReader(body)).Decode(&first); {
	case err == io.EOF: // there is no value
		return nil, nil
	case err != nil: // which quotes the body
		return nil, ErrNotJSON
	}
	w := &walk{ctx: ctx, drives: d, body: body, json: json.NewDecoder(bytes.NewReader(body))}
	w.walkValue(s)
	if w.err != nil || len(w.edits) == 0 {
		return nil, w.err
	}
	var out []byte
	at := 0
	for _, e := range w.edits {
		out = append(append(out, body[at:e.start]...), e.text...)
		at = e.end
	}
	return append(out, body[at:]...), nil
}

// walk goes through a body that is known to be JSON.
type walk struct {
	ctx    context.Context
	drives Drives
	body   []byte
	json   *json.Decoder
	edits  []edit // in their order
	err    error  // of the first source that can't be, or the context's: the walk ends
}

// edit is another text for body[start:end].
type edit struct {
	start, end int
	text       []byte
}

// hasMore tells whether the array or object goes on, and the walk.
func (w *walk) hasMore() bool {
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	return w.err == nil && w.json.More()
}

// nextToken is the next one, and where it stands.
func (w *walk) nextToken() (t json.Token, start, end int) {
	before := int(w.json.InputOffset())
	t, err := w.json.Token()
	if err != nil { // it was decoded once
		return nil, before, before
	}
	end = int(w.json.InputOffset())
	start = before + len(w.body[before:end]) - len(bytes.TrimLeft(w.body[before:end], " \t\r\n:,"))
	return t, start, end
}

// walkValue goes through one. A nil shape has nothing in it for us.
func (w *walk) walkValue(s *shape) {
	t, start, end := w.nextToken()
	switch t {
	case json.Delim('{'):
		w.walkObject(s)
	case json.Delim('['):
		for w.hasMore() {
			w.walkValue(s.itemShape())
		}
		w.nextToken()
	}
	if text, is := t.(string); is && s != nil && s.bind {
		w.replaceSourceText(start, end, text, w.drives.translateBind)
	}
}

func (s *shape) itemShape() *shape {
	if s == nil {
		return nil
	}
	return s.items
}

func (s *shape) fieldShape(key string) *shape {
	if s == nil {
		return nil
	}
	for name, field := range s.fields {
		if strings.EqualFold(name, key) {
			return field
		}
	}
	return nil
}

func (w *walk) walkObject(s *shape) {
	if s != nil && s.mount {
		w.walkMount()
		return
	}
	for w.hasMore() {
		key, _, _ := w.nextToken()
		name, _ := key.(string)
		w.walkValue(s.fieldShape(name))
	}
	w.nextToken()
}

// walkMount goes through a mount, whose type may stand behind its source. Of
// duplicates the engine takes the last. A service's type may be in any case, and without one it is bind
// (moby's daemon/cluster/convert); a container's without one is refused.
func (w *walk) walkMount() {
	kind := ""
	var sources []source
	for w.hasMore() {
		key, _, _ := w.nextToken()
		name, _ := key.(string)
		switch {
		case strings.EqualFold(name, "Type"), strings.EqualFold(name, "Source"):
			w.walkField(name, &kind, &sources)
		default:
			w.walkValue(nil)
		}
	}
	w.nextToken()
	if kind != "" && !strings.EqualFold(kind, "bind") {
		return
	}
	for _, s := range sources {
		w.replaceSourceText(s.start, s.end, s.text, w.drives.TranslateSource)
	}
}

type source struct {
	start, end int
	text       string
}

func (w *walk) walkField(name string, kind *string, sources *[]source) {
	t, start, end := w.nextToken()
	text, is := t.(string)
	switch {
	case t == json.Delim('{'):
		w.walkObject(nil)
	case t == json.Delim('['):
		for w.hasMore() {
			w.walkValue(nil)
		}
		w.nextToken()
	case is && strings.EqualFold(name, "Type"):
		*kind = text
	case is:
		*sources = append(*sources, source{start, end, text})
	}
}

func (w *walk) replaceSourceText(start, end int, was string, by func(string) (string, error)) {
	if w.err != nil {
		return
	}
	is, err := by(was)
	if err != nil {
		w.err = err
		return
	}
	if is != was {
		w.edits = append(w.edits, edit{start, end, quoteJSON(is)})
	}
}

// quoteJSON is a string's JSON, without escapes that only a web page needs.
func quoteJSON(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always is JSON
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
