# Provides `nix run github:rolecall-dev/rolecall -- plan --sandbox` and a package for NixOS (docs/releasing.md).
{
  description = "Keeps the roles and statuses of Pylon users in git";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable"; # for a recent Rust; Cargo.toml sets the minimum

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      crate = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;
      systems = [ "aarch64-darwin" "aarch64-linux" "x86_64-darwin" "x86_64-linux" ];
      rolecall =
        pkgs:
        pkgs.rustPlatform.buildRustPackage {
          pname = crate.name;
          inherit (crate) version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          doCheck = false; # .ci/run already tests the crate, both inside and outside the repository
          nativeBuildInputs = [ pkgs.installShellFiles ];
          postInstall = ''
            $out/bin/rolecall man --into man
            installManPage man/*.1
            for shell in bash fish zsh; do
              $out/bin/rolecall completions $shell > rolecall.$shell
            done
            installShellCompletion rolecall.{bash,fish,zsh}
            install -D --mode=644 --target-directory=$out/share/doc/rolecall LICENSE-* README.md CHANGELOG.md
          '';
          meta = {
            inherit (crate) description;
            homepage = crate.repository;
            license = [ lib.licenses.mit lib.licenses.asl20 ];
            mainProgram = "rolecall";
          };
        };
    in
    {
      packages = lib.genAttrs systems (system: {
        default = rolecall nixpkgs.legacyPackages.${system};
      });
    };
}
