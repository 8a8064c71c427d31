package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
)

const (
	imageName = "busybox"
	imageTag  = "test"
)

// importImage makes an image of the machine's static busybox: no registry can
// be reached. Its PATH is that of Docker's official image.
func (d *Docker) importImage(ctx context.Context) error {
	layer, err := busyboxLayer(ctx)
	if err != nil {
		return fmt.Errorf("make image: %w", err)
	}
	query := url.Values{
		"fromSrc": {"-"}, "repo": {imageName}, "tag": {imageTag},
		"changes": {`CMD ["sh"]`, "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	}
	said, err := d.ask(ctx, http.MethodPost, "/images/create?"+query.Encode(), layer)
	if err == nil && !bytes.Contains(said, []byte("sha256:")) {
		err = fmt.Errorf("dockerd says %s", said)
	}
	if err != nil {
		return fmt.Errorf("import image: %w", err)
	}
	return nil
}

// busyboxLayer is a root file system: busybox, its links, and the directories
// that programs take for granted.
func busyboxLayer(ctx context.Context) (io.Reader, error) {
	path, err := program("busybox")
	if err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	list, err := exec.CommandContext(ctx, path, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("ask busybox for its names: %w", err)
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	add := func(h tar.Header, content []byte) {
		h.Size = int64(len(content))
		headErr := w.WriteHeader(&h)
		_, writeErr := w.Write(content)
		err = errors.Join(err, headErr, writeErr)
	}
	for name, mode := range map[string]int64{"bin/": 0o755, "etc/": 0o755, "root/": 0o700, "tmp/": 0o1777} {
		add(tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}, nil)
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, []byte("root:x:0:0:root:/root:/bin/sh\n"))
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, binary)
	for name := range strings.FieldsSeq(string(list)) {
		if name != "busybox" {
			add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox", Mode: 0o777}, nil)
		}
	}
	return &layer, errors.Join(err, w.Close())
}
