package main

import (
	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
)

// chosenFlags are those that choose.
func chosenFlags(cmd *cobra.Command, c *control.Chosen) {
	cmd.Flags().StringVarP(&c.Distro, "distro", "d", "", "only the bridge for the distro of this `name`")
	cmd.Flags().StringVar(&c.Socket, "socket", "", "only the bridge for the socket of this `path`")
}
