package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// open is a site whose API can be used over loopback TCP too, with a token.
type openSite struct {
	*site
	address, token string
}

func newOpenSite(t *testing.T) *openSite {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o := &openSite{site: newSite(t), address: l.Addr().String()}
	require.NoError(t, l.Close())
	code, token, said := try(t, "token", "test", "--file", filepath.Join(o.dir, "api.tokens"))
	require.Zero(t, code, said)
	o.token = strings.TrimSpace(token)
	config := string(o.read(t, "ragedge.toml"))
	o.put(t, "ragedge.toml", []byte(strings.Replace(config, "listen = [", `listen = ["`+o.address+`", `, 1)+
		"token_file = \"api.tokens\"\n[record]\nwhen = \"always\"\ndirectory = \"recordings\"\n"))
	o.run(t)
	return o
}

func (o *openSite) get(t *testing.T, path string) []byte {
	reply, err := http.Get("http://" + o.address + path)
	require.NoError(t, err)
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	require.NoError(t, err)
	return body
}

// A client of the Open Inference Protocol that others wrote gets what the engine
// gives.
func TestPythonAsksByTheInferenceProtocol(t *testing.T) {
	o := newOpenSite(t)
	var got struct {
		ID, Version          string
		Probabilities, Share []float32
	}
	require.NoError(t, json.Unmarshal(python(t, "testdata/infer.py", o.address, o.token), &got))
	require.Equal(t, "q1", got.ID)
	text := o.read(t, "models/room.safetensors")
	require.Equal(t, digestOf(t, text), got.Version)

	model, err := fusion.Parse(text)
	require.NoError(t, err)
	var inputs []fusion.Regions
	for i, m := range model.Config.Modalities {
		data := make([]float32, 2*m.Features)
		for k := range data {
			data[k] = float32(i) + 0.5
		}
		inputs = append(inputs, fusion.Regions{Rows: 2, Features: m.Features, Data: data})
	}
	out, err := model.NewState().Fuse(inputs)
	require.NoError(t, err)
	require.Equal(t, out.Probabilities, got.Probabilities, "bit for bit, through JSON and back")
	require.Equal(t, out.Share, got.Share)
}

// Requests made up from the OpenAPI document, good ones and bad ones, are answered
// as it says; nothing fails inside.
func TestPythonFuzzesTheAPI(t *testing.T) {
	o := newOpenSite(t)
	document := o.put(t, "openapi.json", bytes.ReplaceAll(o.get(t, "/openapi.json"), []byte("{model}"), []byte("room")))
	out := pythonIn(t, o.dir, "-m", "schemathesis.cli", "run", document, "--url", "http://"+o.address,
		"--header", "Authorization: Bearer "+o.token, "--exclude-path", "/v1/stream", "--max-examples", "40", "--seed", "1",
		"--checks", "status_code_conformance,content_type_conformance,response_schema_conformance")
	var described struct{ Paths map[string]map[string]any }
	require.NoError(t, json.Unmarshal(o.get(t, "/openapi.json"), &described))
	operations := -1 // of the stream, which does not end
	for _, of := range described.Paths {
		operations += len(of)
	}
	require.Contains(t, string(out), fmt.Sprintf("Tested: %d\n", operations))
	metrics := string(o.get(t, "/metrics"))
	require.Contains(t, metrics, "ragedge_api_panics_total 0\n")
	require.NotContains(t, metrics, `ragedge_api_requests_total{code="500"}`)
	require.Contains(t, metrics, `ragedge_api_requests_total{code="400"}`)
}
