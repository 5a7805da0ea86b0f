using InstructTune.Hosting;
using InstructTune.Evaluation;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("instructtune.evaluation");
builder.AddEvaluation();
var app = builder.Build();
app.MapServiceDefaults();
app.MapEvaluation();
await app.RunAsync();
