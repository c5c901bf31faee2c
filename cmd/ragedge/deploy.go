package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/daemon/api"
	"github.com/spf13/cobra"
)

const deployHelp = `Puts a model into force in the running daemon: checks it against the configuration,
copies it durably to the place that agent.model names, makes the daemon reload, and
waits until the daemon has answered with it. When the daemon refuses the model, or
does not answer in time, the old one is put back. The old file stays as
NAME.previous. Where there was no old one the new one stays in any case: without the
file that agent.model names the daemon would not start again.

It needs the daemon's Unix socket, and permission to write where models are: join
the group ragedge. Exit codes: 0 the model is in force · 1 refused · 65 bad model · 75 no
daemon, or no answer in time · 78 configuration.`

func newDeploy() *cobra.Command {
	var d deployment
	c := &cobra.Command{
		Use:     "deploy MODEL",
		Short:   "Put a model into force in the running daemon, or leave all as it was",
		Long:    deployHelp,
		Example: "  ragedge deploy room.safetensors\n  ragedge deploy room.safetensors --config room.toml --timeout 2m",
		Args:    oneArg("the model file"),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := d.files.loadChecked(c)
			if err != nil {
				return err
			}
			d.config, d.out = config, c.OutOrStdout()
			return d.run(c.Context(), args[0])
		},
	}
	d.files.registerStandard(c)
	c.Flags().DurationVar(&d.patience, "timeout", 0, "how long to wait for an answer (default: two ticks and 10s)")
	return c
}

// deployment is one run of the deploy command.
type deployment struct {
	files    configFiles
	patience time.Duration
	config   daemon.Config
	out      io.Writer
	client   *apiClient
}

// askEvery is how often the daemon is asked how it is.
const askEvery = 100 * time.Millisecond

func (d *deployment) run(ctx context.Context, file string) error {
	var err error
	if d.client, err = newAPIClient(d.config.API); err != nil {
		return err
	}
	before, err := d.client.status(ctx)
	if err != nil {
		return err
	}
	model, features, undo, err := d.config.Install(file)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "installed %s as %s\n", file, d.config.ModelPath())
	if d.patience == 0 {
		d.patience = 2*features.Tick.Std() + 10*time.Second
	}
	if err := d.activate(ctx, model.Digest, &before); err != nil {
		return errors.Join(err, d.back(undo))
	}
	fmt.Fprintf(d.out, "in force: %s\n", model.Digest)
	return nil
}

// activate reloads, and waits for an answer of the model. A daemon that did not
// answer before, for want of data say, is not waited for.
func (d *deployment) activate(ctx context.Context, digest string, before *api.Status) error {
	now, err := d.client.reload(ctx)
	if err != nil {
		return err
	}
	if now.Model == nil || now.Model.Digest != digest {
		return fmt.Errorf("the daemon reloaded but does not run the model: is %s its configuration?", d.files.file)
	}
	if before.State == api.StateDown || d.config.Agent.Trigger == daemon.TriggerPush {
		return nil
	}
	fmt.Fprintf(d.out, "reloaded; waiting up to %v for an answer\n", d.patience)
	waiting, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	for answered := now.Answered; now.Answered <= answered; {
		select {
		case <-waiting.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("interrupted before the model answered: %w", ctx.Err())
			}
			return fmt.Errorf("%w: no answer of the model in %v: %s", daemon.ErrTryAgain, d.patience, now.Reason)
		case <-time.After(askEvery):
		}
		if next, err := d.client.status(waiting); err == nil {
			now = next
		}
	}
	return nil
}

// back puts the old model into force again, if there was one.
func (d *deployment) back(undo func() error) error {
	if undo == nil {
		fmt.Fprintf(d.out, "there was no model before: %s stays, because the daemon would not start without it\n", d.config.ModelPath())
		return nil
	}
	if err := undo(); err != nil {
		return fmt.Errorf("the old model could not be put back: %w", err)
	}
	// Not ctx, which may have ended: the old model must come back all the same.
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := d.client.reload(ctx); err != nil {
		return fmt.Errorf("the old model's file is back, but the daemon did not reload: %w", err)
	}
	fmt.Fprintln(d.out, "the old model is back")
	return nil
}
