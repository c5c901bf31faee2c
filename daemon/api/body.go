package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

const (
	typeJSON    = "application/json"
	typeTensors = "application/safetensors"
)

// errType is a body in a form that is not read.
var errType = errors.New("unknown content type")

// bodyForm says in which of the two forms a body is, by its header. No header means
// JSON, and so does the one for web forms: curl and others send it unasked, and forms
// are not read here.
func bodyForm(r *http.Request) (string, error) {
	header := r.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(header)
	if err != nil {
		kind = header
	}
	switch kind {
	case "", typeJSON, "application/x-www-form-urlencoded":
		kind = typeJSON
	case "application/octet-stream", typeTensors:
		kind = typeTensors
	default:
		return "", fmt.Errorf("%w %.64q: use %s or %s", errType, kind, typeJSON, typeTensors)
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
		return "", fmt.Errorf("%w: Content-Encoding %.32q is not read", errType, encoding)
	}
	return kind, nil
}

// readBody reads a body of at most limit bytes. Its error wraps that of the reader, and
// what a body that cannot be read is to this path. A body that says to be larger is not
// waited for.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, kind error) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, fmt.Errorf("%w: %w", kind, &http.MaxBytesError{Limit: limit})
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, fmt.Errorf("%w: the body cannot be read: %w", kind, err)
	}
	return body, nil
}
