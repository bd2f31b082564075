# Installs a release's binary, man pages, and completions. In each release, the zeros in this file are replaced with the checksums of its
# archives (docs/releasing.md).
class Rolecall < Formula
  desc "Keep the roles and statuses of Pylon users in git"
  homepage "https://github.com/rolecall-dev/rolecall"
  version "0.1.0"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "https://github.com/rolecall-dev/rolecall/releases/download/v0.1.0/rolecall-0.1.0-aarch64-apple-darwin.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
    on_intel do
      url "https://github.com/rolecall-dev/rolecall/releases/download/v0.1.0/rolecall-0.1.0-x86_64-apple-darwin.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/rolecall-dev/rolecall/releases/download/v0.1.0/rolecall-0.1.0-aarch64-unknown-linux-musl.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
    on_intel do
      url "https://github.com/rolecall-dev/rolecall/releases/download/v0.1.0/rolecall-0.1.0-x86_64-unknown-linux-musl.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
  end

  def install
    bin.install "rolecall"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/rolecall.bash" => "rolecall"
    fish_completion.install "completions/rolecall.fish"
    zsh_completion.install "completions/_rolecall"
    doc.install "THIRD-PARTY.txt"
  end

  test do
    (testpath/"users.toml").write <<~TOML
      [users]
      "ana@acme.example" = { role = "Admin" }
    TOML
    assert_match "rolecall #{version}", shell_output("#{bin}/rolecall --version")
    assert_match "1 declared", shell_output("#{bin}/rolecall plan --sandbox --config #{testpath}/users.toml")
  end
end
