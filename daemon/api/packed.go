package api

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// packed holds the page and the OpenAPI document as gzip files: a third of their
// size in the program, in memory and on the wire. TestPacked holds them against the
// originals beside it and, with -args -update, writes them.
//
//go:embed packed
var packed embed.FS

// sendPacked answers with a file of packed, whose content type is set: as it is
// where the client takes that, else unpacked.
func sendPacked(w http.ResponseWriter, r *http.Request, file []byte) {
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if takesGzip(r.Header) {
		h.Set("Content-Encoding", "gzip")
	} else {
		file = unpack(file)
	}
	h.Set("Content-Length", strconv.Itoa(len(file)))
	w.WriteHeader(http.StatusOK)
	w.Write(file)
}

// unpack returns the original of a file of packed, which TestPacked knows to be whole.
func unpack(file []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(z)
	return text
}

// takesGzip reports whether Accept-Encoding names gzip and does not refuse it.
func takesGzip(h http.Header) bool {
	for accepted := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(accepted, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			_, q, _ := strings.Cut(weight, "=")
			value, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return err != nil || value > 0
		}
	}
	return false
}
