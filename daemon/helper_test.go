package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if set := os.Getenv("RAGEDGE_CPU"); set != "" {
		if err := ragedge.Use(set); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

// twoFeatures is what tinyModel sees: two windows of one channel each.
const twoFeatures = `{"tick":"10s","modalities":{
	"light":{"encoder":"window","channels":["lux"],"regions":2,"every":"10s","functions":["last"],"fill":"hold","stale_after":"30s"},
	"air":{"encoder":"window","channels":["co2"],"regions":2,"every":"10s","functions":["last"],"fill":"hold","stale_after":"30s"}}}`

// tinyModel is a classifier of two modalities, light and air, one feature each:
// "bright" wins when the fused feature is positive, else "dark".
func tinyModel(t testing.TB, features string) *fusion.Model {
	t.Helper()
	model, err := fusion.Parse(tinyFile(t, features, nil))
	require.NoError(t, err)
	return model
}

// tinyFile is the file of tinyModel, with a change.
func tinyFile(t testing.TB, features string, change func(*safetensors.File)) []byte {
	t.Helper()
	file := safetensors.File{
		Metadata: map[string]string{
			"ragedge": "1",
			"config": `{"name":"tiny","modalities":[{"name":"light","regions":2,"features":1},{"name":"air","regions":2,"features":1}],
				"width":2,"strategy":"gate","align":"identity","pool":"mean",
				"head":{"task":"classify","outputs":2,"labels":["dark","bright"]}}`,
		},
		Tensors: []safetensors.Tensor{
			safetensors.NewFloat32("project.light.weight", []float32{1, 0}, 2, 1),
			safetensors.NewFloat32("project.light.bias", []float32{0, 0}, 2),
			safetensors.NewFloat32("project.air.weight", []float32{1, 0}, 2, 1),
			safetensors.NewFloat32("project.air.bias", []float32{0, 0}, 2),
			safetensors.NewFloat32("gate.weight", make([]float32, 8), 2, 4),
			safetensors.NewFloat32("gate.bias", []float32{0, 0}, 2),
			safetensors.NewFloat32("head.0.weight", []float32{-1, 0, 1, 0}, 2, 2),
			safetensors.NewFloat32("head.0.bias", []float32{0, 0}, 2),
		},
	}
	if features != "" {
		file.Metadata["features"] = features
	}
	if change != nil {
		change(&file)
	}
	data, err := file.Bytes()
	require.NoError(t, err)
	return data
}

// lightSensor is the bh1750 that delivers channel lux of tinyModel.
func lightSensor() sensor.Config {
	return sensor.Config{Alias: "desk", Type: sensor.I2C, Driver: "bh1750", Bus: "1", Channels: map[string]string{"lux": "lux"}}
}

// airSensor lets channel co2 of tinyModel be pushed.
func airSensor() sensor.Config {
	return sensor.Config{Alias: "air", Type: sensor.Push, Channels: map[string]string{"co2": "co2"}}
}

// quiet is a configuration with these sensors and nothing that leaves the
// process.
func quiet(sensors ...sensor.Config) Config {
	c := DefaultConfig()
	c.API.Listen = nil
	c.Sensors = sensors
	return c
}

// fakeBus is an I2C bus with a bh1750 on it, and its faults.
type fakeBus struct {
	mu   sync.Mutex
	raw  uint16
	err  error         // of every transfer
	hang chan struct{} // transfers wait for it while it is not nil
	txs  int
}

func (b *fakeBus) Tx(_ uint16, _, r []byte) error {
	b.mu.Lock()
	hang := b.hang
	b.txs++
	b.mu.Unlock()
	if hang != nil {
		<-hang
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	if len(r) == 2 {
		r[0], r[1] = byte(b.raw>>8), byte(b.raw)
	}
	return nil
}

func (b *fakeBus) Close() error { return nil }

func (b *fakeBus) set(f func(*fakeBus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

func (b *fakeBus) open(string) (sensor.Bus, error) { return b, nil }

// notes is a Notifier that keeps what it was told.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) Notify(state string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, state)
	return nil
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.all
	n.all = nil
	return all
}

// results keeps copies of every Result.
type results struct {
	mu  sync.Mutex
	all []result.Result
}

func (k *results) add(r *result.Result) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var c result.Result
	r.CopyTo(&c)
	k.all = append(k.all, c)
}

// last returns the newest Result.
func (k *results) last(t testing.TB) *result.Result {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	require.NotEmpty(t, k.all)
	return &k.all[len(k.all)-1]
}

func (k *results) len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.all)
}

// run starts d and returns how to stop it and get what Run returned.
func run(t testing.TB, d *Daemon) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}

var errRemote = errors.New("remote I/O error")

const tinyTick = 10 * time.Second

// logTo is a log for a test to read.
func logTo(b *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
