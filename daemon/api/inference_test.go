package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

func TestFuseInBothForms(t *testing.T) {
	r := serve(t, nil)
	send := func(kind string, body string) answer {
		req, err := http.NewRequest(http.MethodPost, "http://ragedge/v1/fuse", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", kind)
		return do(t, r.unix, req)
	}
	a := send(typeJSON, `{"regions":{"text":[[1,2],[3,4.5]]}}`)
	require.Equal(t, 200, a.code, a.body)
	require.JSONEq(t, `{"z":[[4,6.5]],"logits":[4,6.5]}`, a.body)

	body, err := (&safetensors.File{Tensors: []safetensors.Tensor{safetensors.NewFloat32("text", []float32{1, 2, 3, 4.5}, 2, 2)}}).Bytes()
	require.NoError(t, err)
	a = send(typeTensors, string(body))
	require.Equal(t, 200, a.code)
	require.Equal(t, typeTensors, a.header.Get("Content-Type"))
	f, err := safetensors.Parse([]byte(a.body))
	require.NoError(t, err)
	values, err := f.Tensor("logits").Float32s()
	require.NoError(t, err)
	require.Equal(t, []float32{4, 6.5}, values)

	for body, code := range map[string]int{
		`{"regions":{}}`: 400,
		`{"samples":[{"channel":"a","value":1}]}`: 400,
		`{"regions":{"text":[[1],[1,2]]}}`:        400,
		`nonsense`:                                400,
		`{"regions":{"text":"` + strings.Repeat("x", maxBody) + `"}}`: 413,
	} {
		require.Equal(t, code, send(typeJSON, body).code, "%.40s", body)
	}
	require.Equal(t, 400, send(typeTensors, "nonsense").code)
	require.Equal(t, 415, send("text/csv", "1,2").code)
	require.Equal(t, 405, r.ask(http.MethodGet, "/v1/fuse").code)
	require.Empty(t, r.daemon.taken())
}

func TestModelAndSensors(t *testing.T) {
	r := serve(t, nil)
	require.JSONEq(t, `{"name":"tiny","digest":"sha256:00","config":{"name":"tiny"},"state_bytes":64}`, r.get("/v1/model").body)
	r.daemon.set(func() { r.daemon.status.Sensors = []SensorStatus{{Alias: "desk", Type: "i2c", State: StateUp}} })
	require.Contains(t, r.get("/v1/sensors").body, `{"sensors":[{"alias":"desk","type":"i2c","state":"up"`)
	r.daemon.set(func() { r.daemon.refusal = ErrNotReady })
	require.Equal(t, 503, r.get("/v1/model").code)
}

func TestOpenInferenceProtocol(t *testing.T) {
	r := serve(t, nil)
	for path, want := range map[string]string{
		"/v2/health/live":       `{"ok":true}`,
		"/v2/health/ready":      `{"ok":true}`,
		"/v2/models/tiny/ready": `{"ok":true}`,
		"/v2":                   `{"name":"ragedge","version":"","extensions":[]}`,
		"/v2/models/tiny": `{"name":"tiny","versions":["sha256:00"],"platform":"ragedge",
			"inputs":[{"name":"text","datatype":"FP32","shape":[-1,2]}],"outputs":[{"name":"logits","datatype":"FP32","shape":[2]}]}`,
	} {
		a := r.get(path)
		require.Equal(t, 200, a.code, path)
		require.JSONEq(t, want, a.body)
	}
	for _, path := range []string{"/v2/", "/v2/models", "/v2/models/", "/v2/models/other", "/v2/models/tiny/other", "/v2/repository/index", "/v2x"} {
		require.Equal(t, 404, r.get(path).code, path)
	}
	require.Equal(t, 405, r.get("/v2/models/tiny/infer").code)

	infer := func(body string) answer { return r.post("/v2/models/tiny/infer", body) }
	want := `{"model_name":"tiny","model_version":"sha256:00","id":"a","outputs":[
		{"name":"z","datatype":"FP32","shape":[1,2],"data":[4,6.5]},{"name":"logits","datatype":"FP32","shape":[2],"data":[4,6.5]}]}`
	for _, data := range []string{`[1,2,3,4.5]`, `[[1,2],[3,4.5]]`} {
		a := infer(`{"id":"a","inputs":[{"name":"text","shape":[2,2],"datatype":"FP32","data":` + data + `}]}`)
		require.Equal(t, 200, a.code, a.body)
		require.JSONEq(t, want, a.body)
	}
	a := infer(`{"inputs":[{"name":"text","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"logits","parameters":{"binary_data":false}}]}`)
	require.JSONEq(t, `{"model_name":"tiny","model_version":"sha256:00","outputs":[{"name":"logits","datatype":"FP32","shape":[2],"data":[1,2]}]}`, a.body)
	require.True(t, json.Valid([]byte(a.body)))

	for body, code := range map[string]int{
		`{`: 400,
		`{"inputs":[{"name":"text","shape":[2,2],"datatype":"FP32","data":[1]}]}`:                                                                   400,
		`{"inputs":[{"name":"text","shape":[-1,2],"datatype":"FP32","data":[1,2]}]}`:                                                                400,
		`{"inputs":[{"name":"text","shape":[99999999,99999999],"datatype":"FP32","data":[1]}]}`:                                                     400,
		`{"inputs":[{"name":"text","shape":[2],"datatype":"FP64","data":[1,2]}]}`:                                                                   400,
		`{"inputs":[{"name":"text","shape":[1,2],"datatype":"FP32","data":[1,null]}]}`:                                                              400,
		`{"inputs":[{"name":"text","shape":[2],"datatype":"FP32","data":["1",2]}]}`:                                                                 400,
		`{"inputs":[{"name":"text","shape":[2],"datatype":"FP32","data":{"a":1}}]}`:                                                                 400,
		`{"inputs":[{"name":"n","shape":[1],"datatype":"INT64","data":[1.5]}]}`:                                                                     400,
		`{"inputs":[{"name":"n","shape":[1],"datatype":"INT64","data":[1]}]}`:                                                                       400,
		`{"inputs":[{"name":"text","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"text","shape":[1,2],"datatype":"FP32","data":[1,2]}]}`:    400,
		`{"inputs":[{"name":"text","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"other"}]}`:                                    404,
		`{"inputs":[{"name":"text","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"logits","parameters":{"binary_data":true}}]}`: 400,
	} {
		require.Equal(t, code, infer(body).code, body)
	}
}
