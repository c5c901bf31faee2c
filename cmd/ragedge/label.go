package main

import (
	"fmt"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/spf13/cobra"
)

const labelHelp = `Writes into the running recording what is true: from now on, until the next label,
or from one time to another. A time is RFC 3339 (2026-05-01T14:30:00Z) or how long
ago it was (90s, 15m). --end says instead that the label that holds does so no longer,
and that none begins. It returns once the label is as safe as [record] durable asks.

It needs the daemon's Unix socket: join the group ragedge. Exit codes: 0 written ·
1 refused · 2 usage · 75 no daemon · 78 configuration.`

func newLabel() *cobra.Command {
	var files configFiles
	var from, to, source string
	var end bool
	label := oneArg("the label, or --end")
	c := &cobra.Command{
		Use:   "label LABEL | --end",
		Short: "Say what is true, in the running recording",
		Long:  labelHelp,
		Example: "  ragedge label \"2 people\"\n" +
			"  ragedge label empty --from 15m --to 5m\n" +
			"  ragedge label empty --from 2026-05-01T14:30:00Z --to 2026-05-01T15:00:00Z\n" +
			"  ragedge label --end\n" +
			"  ragedge label --end --from 5m",
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case !end:
				return label(c, args)
			case len(args) > 0:
				return usageError{fmt.Errorf("--end ends the label that holds, and takes none, got %q", args[0])}
			case to != "":
				return usageError{fmt.Errorf("--end and --to exclude each other: --from says when the label ended")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			l, now := api.Label{End: end, Source: source}, time.Now()
			if !end {
				l.Label = args[0]
			}
			var err error
			if l.From, err = readMoment(from, now); err != nil {
				return usageError{fmt.Errorf("--from: %w", err)}
			}
			if l.To, err = readMoment(to, now); err != nil {
				return usageError{fmt.Errorf("--to: %w", err)}
			}
			return tellDaemon(c, &files, "/v1/label", l)
		},
	}
	files.registerStandard(c)
	c.Flags().BoolVar(&end, "end", false, "end the label that holds, instead of giving one")
	c.Flags().StringVar(&from, "from", "", "when it began to be true, or with --end ended (default: now)")
	c.Flags().StringVar(&to, "to", "", "when it ceased to be (default: at the next label)")
	c.Flags().StringVar(&source, "source", "cli", "who says so")
	return c
}

// readMoment reads a time, or how long before now it was; zero when text is empty.
func readMoment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is neither a time such as 2026-05-01T14:30:00Z nor a duration such as 15m", text)
	}
	return at, nil
}

const recordHelp = `Starts or stops the recording of the running daemon, whatever [record] when says.
The configuration must have a [record] table. Stopping closes the file, so that it
can be copied; labels are recorded all the same. flight has the last minutes written
that [record] flight keeps in memory, to a file of their own; SIGUSR2 does the same.

Exit codes: 0 done · 1 refused · 2 usage · 75 no daemon · 78 configuration.`

func newRecord() *cobra.Command {
	c := &cobra.Command{
		Use:     "record",
		Short:   "Start or stop the recording of the running daemon",
		Long:    recordHelp,
		Example: "  ragedge record start\n  ragedge record stop\n  ragedge record flight",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	order := func(use, short string, body any) *cobra.Command {
		var files configFiles
		o := &cobra.Command{
			Use: use, Short: short, Example: "  ragedge record " + use, Args: noArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				return tellDaemon(c, &files, "/v1/record", body)
			},
		}
		files.registerStandard(o)
		return o
	}
	c.AddCommand(
		order("start", "Record from now on", map[string]bool{"on": true}),
		order("stop", "Stop, and close the file", map[string]bool{"on": false}),
		order("flight", "Write what is kept in memory of the last minutes", map[string]string{"action": "flight"}),
	)
	return c
}

// tellDaemon posts v to the daemon that the configuration describes.
func tellDaemon(c *cobra.Command, files *configFiles, path string, v any) error {
	config, err := files.load(c)
	if err != nil {
		return err
	}
	client, err := newAPIClient(config.API)
	if err != nil {
		return err
	}
	return client.post(c.Context(), path, v)
}
