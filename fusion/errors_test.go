package fusion

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// edit is an entry of errors.json; the README beside it explains the keys.
type edit struct {
	Case, Base, Error string
	Words             []string
	DropTensor        string            `json:"drop_tensor"`
	AddTensor         *shaped           `json:"add_tensor"`
	ReshapeTensor     *shaped           `json:"reshape_tensor"`
	SetTensor         *element          `json:"set_tensor"`
	SetConfig         map[string]any    `json:"set_config"`
	DropConfig        string            `json:"drop_config"`
	SetMetadata       map[string]string `json:"set_metadata"`
	DropMetadata      string            `json:"drop_metadata"`
	Input             *struct {
		Drop       []string
		KeepLength bool `json:"keep_length"`
		Resize     map[string][]int
		Length     map[string][]int64
		Add        *shaped
		Set        *element
	}
}

type shaped struct {
	Name  string
	Shape []int
}

type element struct {
	Name  string
	Index []int
	Value string
}

var kinds = map[string]error{
	"missing_key": ErrMissingKey, "unknown_key": ErrUnknownKey, "bad_value": ErrBadValue, "bad_metadata": ErrBadMetadata,
	"missing_tensor": ErrMissingTensor, "extra_tensor": ErrExtraTensor, "misshapen_tensor": ErrMisshapenTensor,
	"non_finite_tensor": ErrNonFiniteTensor, "non_positive_std": ErrNonPositiveStd, "all_absent": ErrAllAbsent,
	"anchor_absent": ErrAnchorAbsent, "too_many_rows": ErrTooManyRows, "wrong_features": ErrWrongFeatures,
	"non_finite_input": ErrNonFiniteInput, "unknown_input": ErrUnknownInput, "bad_rank": ErrBadRank,
	"bad_batch": ErrBadBatch, "bad_length": ErrBadLength,
}

func TestErrors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(golden, "errors.json"))
	require.NoError(t, err)
	var edits []edit
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&edits))
	require.Len(t, edits, 103)

	for _, e := range edits {
		t.Run(e.Case, func(t *testing.T) {
			err := e.run(t)
			require.ErrorIs(t, err, kinds[e.Error])
			for name, other := range kinds {
				require.True(t, name == e.Error || !errors.Is(err, other), "%s is also %s", err, name)
			}
			for _, word := range e.Words {
				require.ErrorContains(t, err, word)
			}
			group := ErrModel
			if e.Input != nil {
				group = ErrInput
			}
			require.ErrorIs(t, err, group)
		})
	}
}

// run loads the edited model and fuses the edited input.
func (e *edit) run(t *testing.T) error {
	model := readGolden(t, e.Base, "model")
	if e.DropTensor != "" {
		drop(t, model, e.DropTensor)
	}
	for _, s := range []*shaped{e.AddTensor, e.ReshapeTensor} {
		if s != nil {
			put(model, zeros(s.Name, s.Shape))
		}
	}
	if e.SetTensor != nil {
		e.SetTensor.set(t, model)
	}
	if e.SetConfig != nil || e.DropConfig != "" {
		model.Metadata["config"] = editConfig(t, model.Metadata["config"], e.SetConfig, e.DropConfig)
	}
	for key, text := range e.SetMetadata {
		model.Metadata[key] = text
	}
	delete(model.Metadata, e.DropMetadata)
	data, err := model.Bytes()
	require.NoError(t, err)
	m, err := Parse(data)
	if e.Input == nil {
		return err
	}
	require.NoError(t, err)

	input := readGolden(t, e.Base, "input")
	for _, name := range e.Input.Drop {
		drop(t, input, name)
		if !e.Input.KeepLength && input.Tensor(name+".length") != nil {
			drop(t, input, name+".length")
		}
	}
	for name, shape := range e.Input.Resize {
		put(input, zeros(name, shape))
	}
	for name, lengths := range e.Input.Length {
		put(input, safetensors.NewInt64(name+".length", lengths, len(lengths)))
	}
	if add := e.Input.Add; add != nil {
		put(input, zeros(add.Name, add.Shape))
	}
	if e.Input.Set != nil {
		e.Input.Set.set(t, input)
	}
	data, err = input.Bytes()
	require.NoError(t, err)
	input, err = safetensors.Parse(data)
	require.NoError(t, err)
	out, err := m.NewState().FuseFile(input)
	require.Nil(t, out)
	return err
}

func zeros(name string, shape []int) safetensors.Tensor {
	n := 1
	for _, dim := range shape {
		n *= dim
	}
	return safetensors.NewFloat32(name, make([]float32, n), shape...)
}

// put adds a tensor, or replaces the one of its name.
func put(f *safetensors.File, tensor safetensors.Tensor) {
	if old := f.Tensor(tensor.Name); old != nil {
		*old = tensor
		return
	}
	f.Tensors = append(f.Tensors, tensor)
}

func drop(t *testing.T, f *safetensors.File, name string) {
	require.NotNil(t, f.Tensor(name), name)
	f.Tensors = slices.DeleteFunc(f.Tensors, func(tensor safetensors.Tensor) bool { return tensor.Name == name })
}

func (e *element) set(t *testing.T, f *safetensors.File) {
	tensor := f.Tensor(e.Name)
	require.NotNil(t, tensor, e.Name)
	at := 0
	for i, n := range e.Index {
		at = at*tensor.Shape[i] + n
	}
	v, err := strconv.ParseFloat(e.Value, 32)
	require.NoError(t, err)
	values := floats(t, tensor)
	values[at] = float32(v)
	*tensor = safetensors.NewFloat32(e.Name, values, tensor.Shape...)
}

// editConfig sets and drops keys by their paths.
func editConfig(t *testing.T, text string, set map[string]any, drop string) string {
	var config any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&config))
	at := func(path string) (map[string]any, string) {
		keys := strings.Split(path, ".")
		node := config
		for _, key := range keys[:len(keys)-1] {
			if list, ok := node.([]any); ok {
				i, err := strconv.Atoi(key)
				require.NoError(t, err)
				node = list[i]
			} else {
				node = node.(map[string]any)[key]
			}
		}
		return node.(map[string]any), keys[len(keys)-1]
	}
	for path, value := range set {
		node, key := at(path)
		node[key] = value
	}
	if drop != "" {
		node, key := at(drop)
		delete(node, key)
	}
	edited, err := json.Marshal(config)
	require.NoError(t, err)
	return string(edited)
}
