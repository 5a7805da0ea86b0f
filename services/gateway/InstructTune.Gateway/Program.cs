using InstructTune.Gateway;
using InstructTune.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("instructtune.gateway");
builder.AddGateway();
var app = builder.Build();
app.MapServiceDefaults();
app.MapGateway();
await app.RunAsync();
