from rnntag.cli.app import app

app(prog_name="rnntag")
