package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/ragedge/ragedge/daemon/sensor"
)

// inSandbox names the variable of the environment with the root of the sandbox, in
// which this test binary is the commands of a board.
const inSandbox = "RAGEDGE_TEST_SANDBOX"

func TestMain(m *testing.M) {
	if root := os.Getenv(inSandbox); root != "" {
		os.Exit(asOnBoard(root, filepath.Base(os.Args[0]), os.Args[1:]))
	}
	os.Exit(m.Run())
}

// asOnBoard is a process of the sandbox.
func asOnBoard(root, name string, args []string) int {
	if name == "curl" {
		if err := curl(args); err != nil {
			fmt.Fprintf(os.Stderr, "curl: %v\n", err)
			return 22
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := newRoot()
	verb, _, err := c.Find(args)
	if err == nil && verb.Name() == "scan" {
		verb.Parent().RemoveCommand(verb)
		sensors, _, _ := c.Find([]string{"sensors"})
		sensors.AddCommand(newSensorsScan(nothingConnected))
	} else if err == nil {
		if f := verb.Flags().Lookup("config"); f != nil && f.DefValue == standardConfig {
			_ = f.Value.Set(root + standardConfig)
		}
	}
	c.SetArgs(args)
	if err = c.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "ragedge: %v\n", err)
	}
	return exitCode(err)
}

// nothingConnected is hardware of which only a temperature can be read.
var nothingConnected = sensor.Hardware{
	Proc: fstest.MapFS{},
	Sysfs: fstest.MapFS{
		"class/thermal/thermal_zone0/type": {Data: []byte("cpu-thermal\n")},
		"class/thermal/thermal_zone0/temp": {Data: []byte("48199\n")},
	},
}
