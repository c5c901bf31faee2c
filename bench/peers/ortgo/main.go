// Ortgo runs ONNX Runtime in a Go program, on W.onnx of a folder that export.py has
// written:
//
//	ortgo [-cold W] LIBRARY FOLDER
//
// It answers as package protocol does. With -cold it runs W once, prints the output
// as JSON and waits for its standard input to end.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"

	"github.com/ragedge/ragedge/bench/peers/protocol"
	ort "github.com/yalue/onnxruntime_go"
)

func main() {
	cold := flag.String("cold", "", "run this workload once")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: ortgo [-cold W] LIBRARY FOLDER")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*cold, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "ortgo:", err)
		os.Exit(1)
	}
}

func run(cold, library, folder string) error {
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(); err != nil {
		return err
	}
	if cold == "" {
		return protocol.Serve(os.Stdin, os.Stdout, func(name string) (*protocol.Workload, error) { return load(folder, name) })
	}
	w, err := load(folder, cold)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(w.Output()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// load makes a session of one thread on tensors that stay, and runs it once.
func load(folder, name string) (*protocol.Workload, error) {
	path := folder + "/" + name + ".onnx"
	ins, outs, err := ort.GetInputOutputInfo(path)
	if err != nil {
		return nil, err
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	if err := options.SetIntraOpNumThreads(1); err != nil {
		return nil, err
	}
	if err := options.SetInterOpNumThreads(1); err != nil {
		return nil, err
	}
	var names []string
	var xs []ort.Value
	for i, in := range ins {
		values, err := protocol.ReadValues(folder, name, strconv.Itoa(i), int(in.Dimensions.FlattenedSize()))
		if err != nil {
			return nil, err
		}
		x, err := ort.NewTensor(in.Dimensions, values)
		if err != nil {
			return nil, err
		}
		names, xs = append(names, in.Name), append(xs, x)
	}
	y, err := ort.NewEmptyTensor[float32](outs[0].Dimensions)
	if err != nil {
		return nil, err
	}
	session, err := ort.NewAdvancedSession(path, names, []string{outs[0].Name}, xs, []ort.Value{y}, options)
	if err != nil {
		return nil, err
	}
	if err := session.Run(); err != nil {
		return nil, err
	}
	want, err := protocol.ReadValues(folder, name, "out")
	if err != nil {
		return nil, err
	}
	return &protocol.Workload{
		Run: func() {
			if err := session.Run(); err != nil {
				panic(err) // it ran before
			}
			// The session does not keep the memory that it reads and writes.
			runtime.KeepAlive(xs)
			runtime.KeepAlive(y)
		},
		Output: y.GetData,
		Want:   want,
	}, nil
}
