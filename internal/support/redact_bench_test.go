package support

import (
	"strings"
	"testing"
)

// BenchmarkText is the log of a busy day: most lines name nobody.
func BenchmarkText(b *testing.B) {
	text := strings.Repeat(`time=2026-11-30T10:00:00.000Z level=DEBUG msg="stream ends" link=default stream=17 up=512 down=1048576 call="POST /v1.43/containers/0123456789ab/start"`+"\n", 1000) +
		`time=2026-11-30T10:00:00.000Z level=WARN msg="docker context" error="open /home/jane roe/.docker: permission denied" file="C:\\Users\\jane roe\\x"` + "\n"
	r := newRedactor()
	r.learn(userName, "jane roe")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.see(text)
		_ = r.text(text)
	}
}
