package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/ragedge/ragedge/daemon"
	"github.com/spf13/cobra"
)

const runHelp = `Runs the daemon: sensors into windows, windows through the model, Results to the
sinks and the API, until SIGTERM or the end of a replayed recording. Under systemd
it says when it is ready and feeds the watchdog while every stage keeps its time.

A sensor that fails is masked, with the reason in every Result, and comes back by
itself; a broken configuration or model ends the command before anything starts.

On SIGHUP it reads the configuration and the model again and puts them in force
without a gap; one that is broken changes nothing, and the log, the status and the
metrics say why. A change of [api] or of a replay needs a restart.

On SIGUSR2 it writes what [record] flight keeps in memory.`

// prepareProcess makes the process one that a service manager can judge: a crash
// is a signal and not exit code 2, which means wrong usage, and a reader of
// stdout that goes away is a failed write and not the end.
func prepareProcess() {
	debug.SetTraceback("crash")
	signal.Ignore(syscall.SIGPIPE)
}

func warn(log *slog.Logger, config *daemon.Config) {
	for _, w := range config.Warnings() {
		log.Warn(w)
	}
}

func newRun() *cobra.Command {
	var files configFiles
	var once, test, watch bool
	c := &cobra.Command{
		Use:   "run --config FILE",
		Short: "Run the daemon",
		Long:  runHelp,
		Example: "  ragedge run --config /etc/ragedge/ragedge.toml\n" +
			"  ragedge run --config room.toml --watch-config\n" +
			"  ragedge run --config room.toml --test     # sensors to stdout, no outputs\n" +
			"  ragedge run --config room.toml --once     # one decision",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if once && test {
				return usageError{fmt.Errorf("--once and --test exclude each other")}
			}
			// First of all: an earlier SIGHUP would end the process.
			var hangup chan os.Signal
			if !once && !test {
				hangup = make(chan os.Signal, 1)
				signal.Notify(hangup, syscall.SIGHUP)
				defer signal.Stop(hangup)
			}
			flight := make(chan os.Signal, 1)
			signal.Notify(flight, syscall.SIGUSR2)
			defer signal.Stop(flight)
			config, err := files.load(c)
			if err != nil {
				return err
			}
			prepareProcess()
			log := slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
			warn(log, &config)
			env := daemon.Environment{
				Version: thisBuild().Version, Log: log, Stdout: c.OutOrStdout(), Once: once, Test: test, Hangup: hangup, Flight: flight,
				Load: func() (daemon.Config, error) {
					config, err := files.load(c)
					warn(log, &config)
					return config, err
				},
			}
			if watch {
				env.Watch = func() string { return daemon.Fingerprint(files.file, files.directory()) }
			}
			if env.KernelSet, env.KernelFault, err = proveKernels(log); err != nil {
				return err
			}
			d, err := daemon.New(config, env)
			if err != nil {
				return err
			}
			return d.Run(c.Context())
		},
	}
	files.register(c)
	c.Flags().BoolVar(&watch, "watch-config", false, "reload when FILE or one of its drop-ins has changed")
	c.Flags().BoolVar(&once, "once", false, "decide once, at the first tick, write the Result to the sinks and end")
	c.Flags().BoolVar(&test, "test", false, "print the readings of every sensor until the first tick and end; no sinks, no API")
	return c
}
