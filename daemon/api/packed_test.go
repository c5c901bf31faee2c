package api

import (
	"bytes"
	"compress/gzip"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the packed files anew")

// originals are the files that packed has, by their name there without its ending.
func originals(t *testing.T) map[string][]byte {
	all := map[string][]byte{}
	files, err := filepath.Glob("page/*")
	require.NoError(t, err)
	for _, file := range append(files, "openapi.json") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all[filepath.Base(file)] = text
	}
	return all
}

// TestPacked: what the program has in it is what stands in page and openapi.json.
// Run with -args -update to write it.
func TestPacked(t *testing.T) {
	all := originals(t)
	if *update {
		require.NoError(t, os.RemoveAll("packed"))
		require.NoError(t, os.Mkdir("packed", 0o755))
		for name, text := range all {
			var b bytes.Buffer
			z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
			require.NoError(t, err)
			_, err = z.Write(text)
			require.NoError(t, err)
			require.NoError(t, z.Close())
			require.NoError(t, os.WriteFile("packed/"+name+".gz", b.Bytes(), 0o644))
		}
		return // the program has the old ones until it is built again
	}
	entries, err := packed.ReadDir("packed")
	require.NoError(t, err)
	require.Len(t, entries, len(all))
	for name, text := range all {
		file, err := packed.ReadFile("packed/" + name + ".gz")
		require.NoError(t, err, "go test ./daemon/api -run Packed -args -update")
		require.Equal(t, string(text), string(unpack(file)), "%s: go test ./daemon/api -run Packed -args -update", name)
	}
}

func TestPackedIsUnpackedForWhomItMustBe(t *testing.T) {
	r := serve(t, nil)
	for header, want := range map[string]string{
		"gzip": "gzip", "br, GZIP;q=0.5": "gzip", "": "", "br": "", "gzip;q=0": "", "identity": "", "gzip; q=0.0, br": "",
	} {
		for _, path := range []string{"/", "/openapi.json"} {
			req, err := http.NewRequest(http.MethodGet, "http://"+r.tcp+path, nil)
			require.NoError(t, err)
			req.Header.Set("Accept-Encoding", header) // set by hand, so that nothing unpacks the answer
			a := do(t, r.web, req)
			require.Equal(t, 200, a.code)
			require.Equal(t, want, a.header.Get("Content-Encoding"), header)
			require.Equal(t, "Accept-Encoding", a.header.Get("Vary"))
			body := []byte(a.body)
			if want != "" {
				body = unpack(body)
			}
			require.Contains(t, []string{string(originals(t)["index.html"]), string(originals(t)["openapi.json"])}, string(body))
		}
	}
}
